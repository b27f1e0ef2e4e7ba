#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# server.py - serves one file on loopback, as well or as badly as a test wants: server.py FILE PORT_FILE LOG
#
# The first part of the path is the behaviour, and may have a number behind it:
#   /good/…       with ranges            /norange/…   whole, whatever is asked for
#   /cut/N/…      N bytes, then the connection is closed; /cut-norange/N/… likewise, whatever is asked for
#   /status/N/…   nothing but this status
#   /redirect/N/… N redirects, then /good                   /stall/…     some bytes, then silence
#   /to/URL       a redirect to that URL                    /endless/…   without a length or an end
import http.server
import os
import re
import sys
import time

DATA = open(sys.argv[1], "rb").read()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def reply(self, status, *headers):
        with open(sys.argv[3], "a") as log:
            log.write(f"{self.path} {self.headers.get('Range', '-')} {status}\n")
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.end_headers()

    def send_from(self, start, count):
        if start >= len(DATA) and start:
            self.reply(416, ("Content-Range", f"bytes */{len(DATA)}"))
            return
        headers = [("Content-Length", str(len(DATA) - start))]
        if start:
            headers.append(("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"))
        self.reply(206 if start else 200, *headers)
        self.wfile.write(DATA[start:start + count])

    def do_GET(self):
        kind, _, rest = self.path[1:].partition("/")
        number, _, rest_of = rest.partition("/")
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if kind == "good":
            self.send_from(start, len(DATA))
        elif kind == "norange":
            self.send_from(0, len(DATA))
        elif kind == "cut-norange":
            self.send_from(0, int(number))
        elif kind == "cut":
            self.send_from(start, int(number))
        elif kind == "status":
            self.reply(int(number), ("Content-Length", "0"))
        elif kind == "redirect" and int(number):
            self.reply(302, ("Location", f"/redirect/{int(number) - 1}/{rest_of}"), ("Content-Length", "0"))
        elif kind == "redirect":
            self.send_from(start, len(DATA))
        elif kind == "to":
            self.reply(302, ("Location", rest), ("Content-Length", "0"))
        elif kind == "stall":
            self.reply(200, ("Content-Length", str(len(DATA))))
            self.wfile.write(DATA[:1000])
            self.wfile.flush()
            time.sleep(60)
        elif kind == "endless":
            self.reply(200)
            for _ in range(1000):
                self.wfile.write(DATA)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(sys.argv[2] + ".new", "w") as out:
    out.write(str(server.server_port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
