"""The command run by hand in the container: `resetadmin NAME`."""

import argparse
import asyncio
import hashlib
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from app.database import Admin, engine

ROOT = Path(__file__).parent.parent


def hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return f"scrypt${salt.hex()}${key.hex()}"


async def reset_admin(name: str) -> None:
    password = secrets.token_urlsafe(12)
    row = {"name": name, "password": hashed(password)}
    change = {"password": row["password"], "changed_at": func.now()}
    upsert = insert(Admin).values(row).on_conflict_do_update(index_elements=["name"], set_=change)
    async with engine().begin() as connection:
        await connection.execute(upsert)
    log = ROOT / "logs" / "audit.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("a") as audit:
        audit.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} password of {name} reset\n")
    print(f"{name}: new password {password}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tgo-api")
    commands = parser.add_subparsers(dest="command", required=True)
    reset = commands.add_parser("reset-admin", help="give an administrator a new random password")
    reset.add_argument("name", nargs="?", default="admin")
    args = parser.parse_args()
    try:
        asyncio.run(reset_admin(args.name))
    except OperationalError as error:
        print(f"The database cannot be reached: {error.orig}\nCheck DATABASE_URL.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
