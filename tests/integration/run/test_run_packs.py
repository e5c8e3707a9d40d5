"""A pack of a user's own, from a folder to typed rows: the model knows nothing of it, the form holds."""

import json
from pathlib import Path

from films import ENCODINGS, encode
from storyboard import draw_film

FRONT = """+++
id = "vehicles"
version = 3
answer = "vehicles.json"
records = { layout = "tiles", at_most = 3, usual_s = 2, shortest_s = 1 }
max_new_tokens = 1200
window_s = 10
+++
Which vehicles are there from {start} to {end} seconds?

{format}
"""
SCHEMA = {
    "type": "object",
    "properties": {
        "order": {"enum": ["first", "last"]},
        "is_moving": {"type": "boolean"},
        "plates": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string", "maxLength": 8}, "row": {"enum": [1, 2]}},
                "required": ["text", "row"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["order", "is_moving", "plates"],
    "additionalProperties": False,
}


def test_a_folder_without_code_makes_a_table(tmp_path: Path, media_index, without_ray):
    """Beside one of ours: windows, nested values, and times that cover the video; another type is refused."""
    pack, library, index = tmp_path / "pack", tmp_path / "library", tmp_path / "index"
    pack.mkdir()
    library.mkdir()
    (pack / "1.md").write_text(FRONT)
    (pack / "vehicles.json").write_text(json.dumps(SCHEMA))
    encode(draw_film("test", 3002, 12.0), ENCODINGS[4], library / "road.mov")
    where = ("--library", library, "--index", index, "--model", "small")
    done = media_index("run", *where, "--new-index", "--pack", "surveillance", "--pack", pack)
    assert done.code in (0, 3), done.stderr
    rows = media_index("sql", "--index", index, "--json", "from vehicles order by record_index").json
    assert rows[0]["start_ms"] == 0
    assert rows[-1]["end_ms"] == 12_000
    assert {row["prompt_id"] for row in rows} == {"vehicles@3"}
    for row in rows:
        assert row["order"] in ("first", "last")
        assert row["is_moving"] in (True, False)
        assert all(plate.keys() == {"text", "row"} and plate["row"] in (1, 2) for plate in row["plates"])
    tables = media_index("sql", "--index", index, "--json", "select count(*) as n from anomalies, events")
    assert tables.code == 0
    assert media_index("sql", "--index", index, "--json", "from scenes").json == []

    keyframes = "select table_name, row_index, at_ms from keyframes where table_name = 'vehicles' order by 2"
    at_ms = {
        k["row_index"]: k["at_ms"] for k in media_index("sql", "--index", index, "--json", keyframes).json
    }
    assert at_ms.keys() == {row["record_index"] for row in rows}
    assert all(row["start_ms"] <= at_ms[row["record_index"]] < row["end_ms"] for row in rows)

    again = without_ray("run", *where, "--pack", "surveillance", "--pack", pack)
    assert (again.code, "nothing to do" in again.stdout) == (0, True)
    (pack / "vehicles.json").write_text(json.dumps(SCHEMA).replace('"boolean"', '"string", "maxLength": 9'))
    refused = without_ray("run", *where, "--pack", pack)
    assert refused.code == 8
    assert "vehicles.is_moving as BOOLEAN, and the pack's schema makes it VARCHAR" in refused.stderr
