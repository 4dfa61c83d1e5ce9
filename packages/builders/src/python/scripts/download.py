"""Downloads locked files into a cache keyed by hash; a cached file is verified before it is used."""

import concurrent.futures
import hashlib
import json
import os
import sys
import tempfile
import threading
import time

import requests
from problem import Problem
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

CONNECTIONS = 12
# Seconds before the next attempt at a body that broke off; None after the last one.
PAUSES = (0.5, 1, 2, 4, None)
# One pool for all concurrent downloads: with a pool per platform, a name server dropped some of the many lookups of
# the same name, and each lost lookup costs five seconds.
_pool = concurrent.futures.ThreadPoolExecutor(CONNECTIONS)
_sessions = threading.local()
_progress = {"service": None, "done": 0, "total": 0}
_progress_lock = threading.Lock()


def expect(service, total):
    """Announces how many files all calls of download() together are for; each then reports one line."""
    _progress.update(service=service, done=0, total=total)


def _report():
    if _progress["service"] is None:
        return
    with _progress_lock:
        _progress["done"] += 1
        amount = {**_progress, "what": "packages"}
        print("tgo-progress: " + json.dumps(amount), file=sys.stderr, flush=True)


def download(files, cache):
    """Downloads missing files ({file, url, sha256, size}). Returns the paths of all in the cache, in order."""
    largest_first = sorted(files, key=lambda file: -(file.get("size") or 0))
    pending = [_pool.submit(_one, file, cache) for file in largest_first]
    try:
        for future in pending:
            future.result()
    except BaseException:
        for future in pending:
            future.cancel()
        raise
    return [_path(file, cache) for file in files]


def _path(file, cache):
    return os.path.join(cache, file["sha256"], file["file"])


def _one(file, cache):
    _fetch(file, cache)
    _report()


def _fetch(file, cache):
    path = _path(file, cache)
    if os.path.exists(path) and _digest(path) == file["sha256"]:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".partial-")
    try:
        with os.fdopen(handle, "wb") as out:
            found = _download(file["url"], out)
            out.flush()
            os.fsync(out.fileno())
        if found != file["sha256"]:
            raise _changed(file, found)
        os.rename(partial, path)
    except requests.HTTPError as error:
        raise _refused(file, error.response.status_code)
    except requests.RequestException as error:
        raise _unreachable(file, error)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def _download(url, out):
    for pause in PAUSES:
        # The session retries what fails before the body.
        with _session().get(url, stream=True, timeout=(15, 60)) as response:
            response.raise_for_status()
            try:
                return _body(response, out)
            except requests.RequestException:
                if pause is None:
                    raise
        time.sleep(pause)


def _body(response, out):
    out.seek(0)
    out.truncate()
    digest = hashlib.sha256()
    for chunk in response.iter_content(1 << 20):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()


def _digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _session():
    """One session per thread: keeps connections alive, retries transient failures, reads .netrc."""
    if not hasattr(_sessions, "session"):
        _sessions.session = requests.Session()
        retries = Retry(total=4, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504))
        for scheme in ("http://", "https://"):
            _sessions.session.mount(scheme, HTTPAdapter(max_retries=retries))
    return _sessions.session


def _title(file):
    return f"{file['name']} {file['version']}"


def _changed(file, found):
    what = f"{_title(file)}: the hash of {file['file']} on the index differs from the lock"
    remedy = "Find out why before you build from it. If the change is intended, lock again and commit."
    return Problem("BUILD", f"{what} (sha256 {found}, locked {file['sha256']})", file["url"], remedy)


def _refused(file, status):
    if status in (401, 403):
        remedy = "Pass credentials for the index: --netrc file:$HOME/.netrc."
        return Problem("UNAUTHORIZED", f"{_title(file)} cannot be downloaded: HTTP {status}", file["url"], remedy)
    remedy = "The file may have been removed: lock a version that still exists. If you use a mirror, check mirrors.pypi."
    return Problem("BUILD", f"{_title(file)} cannot be downloaded: HTTP {status}", file["url"], remedy)


def _unreachable(file, error):
    remedy = "Check the network. If this address is unreachable from here, set mirrors.pypi in tgo.catalog.json or pass "
    remedy += "--mirror pypi=URL. Behind a TLS-inspecting proxy, pass --ca-bundle FILE."
    return Problem("UNAVAILABLE", f"{_title(file)} cannot be downloaded: {error}", file["url"], remedy)
