"""How the twin-world test calls this module's routes.

Another patient's account has a different password in each world, and one of them is in one only.
"""

import json

from polyclinic.testing.isolation.calls import Call

JSON = ("content-type", "application/json")


def sign_in(chance):
    user = chance.choice(("b-both", "b-left", "b-right", "n-1", "B-BOTH"))
    body = {"user": user, "password": chance.choice(("not the password", "", "x" * 2000))}
    return Call("POST", "/auth/sign-in", (JSON,), json.dumps(body).encode())


def session(chance):
    headers = (("cookie", f"polyclinic_session={chance.getrandbits(64):x}"),)
    return Call("GET", chance.choice(("/auth/session", "/auth/session?patient=b-left")), headers)


def sign_out(chance):
    headers = (("cookie", "polyclinic_session=b-left"), ("x-polyclinic-request", "1"))
    return Call("POST", "/auth/sign-out", chance.choice(((), headers)))


CALLS = {
    "POST /auth/sign-in": sign_in,
    "GET /auth/session": session,
    "POST /auth/sign-out": sign_out,
}
