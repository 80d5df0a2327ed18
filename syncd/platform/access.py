"""Why this process may not use a file: owner, mode and user, and the command that changes it. Reads the file system, changes nothing."""

import errno
import os
import pwd
import stat
from pathlib import Path

# A person must act before another try can succeed.
_LASTING = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
    errno.EADDRINUSE, errno.EADDRNOTAVAIL,
}  # fmt: skip
# The users that systemd makes up for the time that a service with DynamicUser= runs (systemd.exec(5)).
_DYNAMIC = range(61184, 65520)


def obstacle(path: Path, *, write: bool = False) -> str | None:
    """Return what keeps this process from reading the file at `path`, or with `write` from creating and changing it, as a sentence with the
    remedy. None if nothing does: a file that does not exist is an obstacle to neither."""
    place = Path(os.path.realpath(path))
    for folder in reversed(place.parents):
        try:
            status = folder.stat()
        except FileNotFoundError:
            return None if not write else _denial(folder.parent, "create anything in", os.W_OK | os.X_OK)
        except OSError as error:
            return f"{folder} cannot be used: {error.strerror}"
        if not stat.S_ISDIR(status.st_mode):
            return f"{folder} is a file, but {path} needs a folder there; name another path"
        if (denial := _denial(folder, "enter", os.X_OK)) is not None:
            return denial
    try:
        status = place.stat()
    except FileNotFoundError:
        return None if not write else _denial(place.parent, "create anything in", os.W_OK | os.X_OK)
    except OSError as error:
        return f"{path} cannot be used: {error.strerror}"
    if stat.S_ISDIR(status.st_mode):
        return f"{path} is a folder; name a file"
    return _denial(place, "write" if write else "read", os.R_OK | os.W_OK if write else os.R_OK)


def _denial(place: Path, verb: str, need: int) -> str | None:
    """Return why this process may not do to an existing file or folder what `verb` says and `need` means to access(2); None if it may."""
    if os.access(place, need, effective_ids=os.access in os.supports_effective_ids):
        return None
    status, uid = place.stat(), os.geteuid()
    mode, user = stat.S_IMODE(status.st_mode), name_of(uid)
    facts = f"owner {name_of(status.st_uid)}, mode {mode:04o}"
    if need & os.W_OK and os.statvfs(place).f_flag & os.ST_RDONLY:
        return (
            f"user {user} cannot {verb} {place} ({facts}): its file system is read-only; mount it for writing, or name a place on "
            "another one (in a systemd unit: below StateDirectory=, or in ReadWritePaths=)"
        )
    bits = (
        mode >> 6 if uid == status.st_uid else mode >> 3 if status.st_gid in {os.getegid(), *os.getgroups()} else mode
    )
    if uid == 0 or bits & need == need:
        remedy = f"the mode is not the cause: see `lsattr -d {place}`, `getfacl {place}`, SELinux or AppArmor, and a unit's sandbox"
    elif verb == "enter" and _is_home(place, status.st_uid):
        remedy = "name a place outside of this home folder"
    elif place.parent.stat().st_uid == uid:
        remedy = f"run `chown --reference={place.parent} {place}` as root"
    elif uid in _DYNAMIC:
        remedy = "name a place below the unit's StateDirectory=; a secret belongs into a systemd credential"
    else:
        letters = {os.X_OK: "x", os.R_OK: "r", os.W_OK | os.X_OK: "rwx"}.get(need, "rw")
        remedy = f"run `chown {user} {place}` as root, or `setfacl -m u:{user}:{letters} {place}`"
    return f"user {user} may not {verb} {place} ({facts}); {remedy}"


def _is_home(place: Path, uid: int) -> bool:
    try:
        return Path(pwd.getpwuid(uid).pw_dir) == place
    except KeyError:
        return False


def name_of(uid: int) -> str:
    """Return the name of a user, or its number if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def explain(error: OSError, *, named: bool = False) -> str:
    """Return a sentence on an error of the operating system: its file unless it is `named` before, and if it concerns rights, whose they are
    and the remedy."""
    reason = error.strerror or type(error).__name__
    if not isinstance(error.filename, str | bytes):
        return reason
    path = Path(os.fsdecode(error.filename))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        if why := obstacle(path) or obstacle(path, write=True):
            return why
        reason = f"{reason} (user {name_of(os.geteuid())})"
    return reason if named else f"{path}: {reason}"


def lasts(error: OSError) -> bool:
    """Return whether the error stays until a person changes something, such as a right or a path. A full disk may pass."""
    return error.errno in _LASTING
