"""The console script `media-index`. It loads the verbs, which takes a moment, and then runs one."""

import signal


def main() -> None:
    """Run the command line and exit with its code.

    The first Ctrl-C or SIGTERM while verbs are loaded is kept, and ends the command with words once they are;
    the second ends it at once.
    """
    came: list[int] = []

    def keep(number: int, _: object) -> None:
        came.append(number)
        signal.signal(number, before[signal.Signals(number)])

    by_default = (signal.SIG_DFL, signal.default_int_handler)
    before = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) in by_default  # others, such as nohup, have said what is to happen
    }
    for number in before:
        signal.signal(number, keep)
    from jobs.cli.main import main as run_command

    def begin() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            raise KeyboardInterrupt

    run_command(begin)
