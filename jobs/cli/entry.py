"""The console script `media-index`. It loads the verbs, which takes a moment, and then runs one."""

import signal


def main() -> None:
    """Run the command line and exit with its code.

    Ctrl-C or SIGTERM while verbs are loaded is kept, and ends the command with words as soon as they are.
    """
    came: list[int] = []
    by_default = (signal.SIG_DFL, signal.default_int_handler)
    before = {
        number: signal.signal(number, lambda which, _: came.append(which))
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) in by_default  # others, such as nohup, have said what is to happen
    }
    from jobs.cli.main import main as run_command

    for number, handler in before.items():
        signal.signal(number, handler)
    run_command(is_interrupted=bool(came))
