"""Letters of CEA-608 by their codes, without parity."""

_NOT_ASCII = {
    0x2A: "á",
    0x5C: "é",
    0x5E: "í",
    0x5F: "ó",
    0x60: "ú",
    0x7B: "ç",
    0x7C: "÷",
    0x7D: "Ñ",
    0x7E: "ñ",
    0x7F: "█",
}
# By code less 0x20: one byte is a letter.
STANDARD = tuple(_NOT_ASCII.get(code, chr(code)) for code in range(0x20, 0x80))
# By the second byte less 0x30, after 0x11. The tenth is a space that lets the picture through.
SPECIAL = tuple("®°½¿™¢£♪à\xa0èâêîôû")
# By the first byte, then the second less 0x20. Each replaces a plain letter that was sent before it.
EXTENDED = {
    0x12: tuple("ÁÉÓÚÜü‘¡*'—©℠•“”ÀÂÇÈÊËëÎÏïÔÙùÛ«»"),
    0x13: tuple("ÃãÍÌìÒòÕõ{}\\^_|~ÄäÖöß¥¤│ÅåØø┌┐└┘"),
}
