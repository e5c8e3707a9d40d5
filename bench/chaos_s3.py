"""An S3 server that can be mistreated: moto behind a switch. Objects survive, as they are this process's.

    python bench/chaos_s3.py PORT CONTROL_FILE

The control file's content says how it behaves: `ok`, `503` (every request is refused), `slow` (every answer
takes two seconds) or `down` (connections are refused).
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


class Switch:
    """A WSGI application in front of moto's."""

    def __init__(self, control: Path) -> None:
        self._control = control
        self._moto = DomainDispatcherApplication(create_backend_app)

    @property
    def state(self) -> str:
        return self._control.read_text().strip()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match self.state:
            case "503":
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                start_response("503 Slow Down", [("Content-Type", "application/xml")])
                return [SLOW_DOWN]
            case "slow":
                time.sleep(2)
        return self._moto(environ, start_response)


def serve(port: int, control: Path) -> None:
    """Until killed; the listening socket is closed while the control file says `down`."""
    switch = Switch(control)
    while True:
        if switch.state == "down":
            time.sleep(0.1)
            continue
        server: BaseWSGIServer = make_server("127.0.0.1", port, switch, threaded=True)
        threading.Thread(target=_close_when_down, args=(switch, server), daemon=True).start()
        server.serve_forever(poll_interval=0.1)
        server.server_close()


def _close_when_down(switch: Switch, server: BaseWSGIServer) -> None:
    while switch.state != "down":
        time.sleep(0.05)
    server.shutdown()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
