"""Start or join the embedded server, say its process id, and leave when the input ends.

Arguments: the data directory and the system directory.
"""

import sys
from pathlib import Path

from polyclinic.base.db.embedded.server import EmbeddedServer, Options

server = EmbeddedServer(Options(Path(sys.argv[1]), scratch=True, system=Path(sys.argv[2])))
server.start()
sys.stdout.write(f"{server.pid}\n")
sys.stdout.flush()
sys.stdin.read()
sys.stdout.write(f"{server.release()}\n")
