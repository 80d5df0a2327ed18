"""Why this process may not use a file: owner, mode and user, and the command that changes it. Reads the file system, changes nothing."""

import errno
import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote

# A person must act before another try can succeed.
_LASTING = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
    errno.EADDRINUSE, errno.EADDRNOTAVAIL,
}  # fmt: skip
# The users that systemd makes up for the time that a service with DynamicUser= runs (systemd.exec(5)).
_DYNAMIC = range(61184, 65520)


def obstacle(path: Path, *, write: bool = False, otherwise: str = "") -> str | None:
    """Return what keeps this process from reading the file at `path`, or with `write` from creating and changing it, as a sentence with the
    remedy. None if nothing does: a file that does not exist is an obstacle to neither. `otherwise` is the remedy for what belongs to another
    user and is to stay so."""
    place = Path(os.path.realpath(path))
    for folder in reversed(place.parents):
        try:
            status = folder.stat()
        except FileNotFoundError:
            return _denial(folder.parent, "make", place.parent) if write else None
        except OSError as error:
            return f"{folder} cannot be used: {error.strerror}"
        if not stat.S_ISDIR(status.st_mode):
            return f"{folder} is a file, but {path} needs a folder there; name another path"
        if (denial := _denial(folder, "enter", folder, otherwise)) is not None:
            return denial
    try:
        status = place.stat()
    except FileNotFoundError:
        return _denial(place.parent, "create", place) if write else None
    except OSError as error:
        return f"{path} cannot be used: {error.strerror}"
    if stat.S_ISDIR(status.st_mode):
        return f"{path} is a folder; name a file"
    return _denial(place, "write" if write else "read", place, otherwise)


_NEEDS = {
    "enter": os.X_OK,
    "make": os.W_OK | os.X_OK,
    "create": os.W_OK | os.X_OK,
    "read": os.R_OK,
    "write": os.R_OK | os.W_OK,
}
_SYSTEM = ("boot", "dev", "proc", "sys", "usr")  # folders that stay as they are


def _denial(place: Path, verb: str, what: Path, otherwise: str = "") -> str | None:
    """Return why this process may not use an existing file or folder, to enter, read or write it, to create the file or make the folder `what` in it; None if it may."""
    need, uid = _NEEDS[verb], os.geteuid()
    if os.access(place, need, effective_ids=os.access in os.supports_effective_ids):
        return None
    status = place.stat()
    mode, user, home = stat.S_IMODE(status.st_mode), name_of(uid), _home(status.st_uid)
    begin = f"user {user} may not {verb} {what} ({'' if what == place else f'in {place}, '}owner {name_of(status.st_uid)}, mode {mode:04o})"
    if need & os.W_OK and os.statvfs(place).f_flag & os.ST_RDONLY:
        return (
            f"{begin}: its file system is read-only; mount it for writing, or name a place on another one (in a systemd unit: below "
            "StateDirectory=, or in ReadWritePaths=)"
        )
    owns = uid == status.st_uid
    bits = mode >> 6 if owns else mode >> 3 if status.st_gid in {os.getegid(), *os.getgroups()} else mode
    shell = quote(str(place))
    letters = "".join(letter for letter, bit in (("r", os.R_OK), ("w", os.W_OK), ("x", os.X_OK)) if need & bit)
    if uid == 0 or bits & need == need:
        remedy = f"the mode is not the cause: see `lsattr -d {shell}`, `getfacl {shell}`, SELinux or AppArmor, and a unit's sandbox"
    elif owns:
        remedy = f"run `chmod u+{letters} {shell}`"
    elif otherwise and place.parent.stat().st_uid != uid:
        remedy = otherwise
    elif verb == "make" and uid not in _DYNAMIC:
        remedy = f"run `install -d -o {user} {quote(str(what))}` as root, or name a place elsewhere"
    elif stat.S_ISDIR(status.st_mode) and (place == home or len(place.parts) < 3 or place.parts[1] in _SYSTEM):
        remedy = "name a place elsewhere"
    elif place.parent.stat().st_uid == uid:
        remedy = f"run `chown --reference={quote(str(place.parent))} {shell}` as root"
    elif uid in _DYNAMIC:
        remedy = "name a place below the unit's StateDirectory=; a secret belongs into a systemd credential"
    else:
        remedy = f"run `chown {user} {shell}` as root, or `setfacl -m u:{user}:{letters} {shell}`"
    return f"{begin}; {remedy}"


def _home(uid: int) -> Path | None:
    try:
        return Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return None


def lockout(path: Path) -> str | None:
    """Return why the user to whom the folder of a file belongs may not write the file, such as a service whose file root has copied; None if
    that user may. For a check by root, who may do everything."""
    try:
        file, folder = path.stat(), path.parent.stat()
    except OSError:
        return None
    mode = stat.S_IMODE(file.st_mode)
    bits = mode >> 6 if file.st_uid == folder.st_uid else mode >> 3 if file.st_gid == folder.st_gid else mode
    if folder.st_uid == 0 or bits & 0o6 == 0o6:
        return None
    return (
        f"user {name_of(folder.st_uid)}, to whom {path.parent} belongs, may not write {path} (owner {name_of(file.st_uid)}, mode {mode:04o}); "
        f"run `chown --reference={quote(str(path.parent))} {quote(str(path))}` as root"
    )


def person(environment: Mapping[str, str], uid: int) -> str:
    """Return the name of the user of a process: `uid`, or behind sudo the user who called it, whom SUDO_USER and SUDO_UID name (sudo(8)). Names
    that contradict each other, or that this machine does not have, do not count."""
    name, number = environment.get("SUDO_USER", ""), environment.get("SUDO_UID", "")
    with suppress(KeyError, ValueError):
        if pwd.getpwnam(name).pw_uid == int(number) != uid:
            return name
    return name_of(uid)


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
