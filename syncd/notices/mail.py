"""Messages by e-mail (RFC 5321, 5322): one mail to all addresses, in plain text."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from syncd import __version__
from syncd.config import MailSettings
from syncd.core.quantities import listed
from syncd.errors import ConfigError, Misconfigured, OutcomeUnknown, Refused, Unavailable
from syncd.notices.channels import Message
from syncd.render import plain
from syncd.render.text import one_line
from syncd.trackers.transport import trust

# Not every server takes bytes above 127 (RFC 6152).
WIRE = SMTP.clone(cte_type="7bit")


class Mail:
    """A channel that is a mail server."""

    repeats = False

    def __init__(self, name: str, settings: MailSettings) -> None:
        self._key = f"channels.{name}"
        self._settings = settings

    def send(self, message: Message) -> str:
        """Send a mail once, and return the answer for people. Raises TrackerError."""
        settings = self._settings
        content = mail(settings, message).as_bytes(policy=WIRE)
        with self._server() as server:
            refused = self._envelope(server)
            try:
                code, answer = server.data(content)
            except smtplib.SMTPDataError as error:
                # The server did not ask for the content.
                self._require((error.smtp_code, _bytes(error.smtp_error)), "DATA")
                raise Unavailable(f"{settings.host} does not ask for the mail") from None
            except (OSError, smtplib.SMTPException):
                raise OutcomeUnknown(f"the connection to {settings.host} broke while it took the mail") from None
            self._require((code, answer), "the mail")
            return f"{code} {_text(answer)}{f', but not for {listed(refused)}' if refused else ''}"

    def _envelope(self, server: smtplib.SMTP) -> list[str]:
        """Name the sender and the addresses. Return the addresses that the server refuses, each with its reason. Raises Unavailable, Refused if it
        refuses all."""
        settings = self._settings
        try:
            self._require(server.mail(settings.sender), "MAIL FROM")
            answers = {address: server.rcpt(address) for address in settings.to}
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{settings.host} ended the session: {_why(error)}") from None
        refused = {address: answer for address, answer in answers.items() if answer[0] not in (250, 251, 252)}
        if len(refused) == len(answers):
            # A server that puts all off, as greylisting does, takes them later.
            self._require(min(refused.values(), key=lambda answer: answer[0]), "RCPT TO")
        return [f"{address} ({code} {_text(text)})" for address, (code, text) in refused.items()]

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        """A connection, encrypted and logged in. Raises Unavailable, Misconfigured: nothing was sent."""
        settings, (host, port) = self._settings, self._settings.address
        place = f"{host}:{port}"
        own = settings.sender.rpartition("@")[2]
        try:
            context = self._trust()
            if settings.security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, own, timeout=settings.timeout, context=context)
            else:
                server = smtplib.SMTP(host, port, own, timeout=settings.timeout)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the certificate of {place} was not accepted: {error.verify_message}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"no connection to {place}: {_why(error)}") from None
        try:
            self._prepare(server, place)
            yield server
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _prepare(self, server: smtplib.SMTP, place: str) -> None:
        settings = self._settings
        try:
            server.ehlo_or_helo_if_needed()
            if settings.security == "starttls":
                if not server.has_extn("starttls"):
                    raise Misconfigured(f'{place} offers no STARTTLS; set {self._key}.security to "tls" with port 465')
                server.starttls(context=self._trust())
                server.ehlo()
            if settings.username is not None and settings.password is not None:
                password = settings.password.read(f"{self._key}.password").get_secret_value()
                server.login(settings.username, password)
        except ConfigError as error:
            raise Misconfigured("; ".join(error.problems), login=True) from None
        except smtplib.SMTPAuthenticationError as error:
            if 400 <= error.smtp_code < 500:
                raise Unavailable(f"{place} takes no login now: {error.smtp_code}") from None
            where = f"{self._key}.username and {self._key}.password"
            raise Misconfigured(f"{place} refuses the login ({error.smtp_code}); check {where}", login=True) from None
        except smtplib.SMTPNotSupportedError:
            raise Misconfigured(
                f"{place} offers no login that syncd can use; remove {self._key}.username, or change the port"
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the certificate of {place} was not accepted: {error.verify_message}") from None
        except UnicodeError:
            raise Misconfigured(
                f"{self._key}.password: the password has characters that the login cannot send", login=True
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{place} does not begin a session: {_why(error)}") from None

    def _trust(self) -> ssl.SSLContext:
        file = trust(f"{self._key}.ca_file", self._settings.ca_file)
        return ssl.create_default_context(cafile=file if isinstance(file, str) else None)

    def _require(self, answer: tuple[int, bytes], step: str) -> None:
        """Raise what an answer to a step means, unless it is one of success."""
        code, text = answer
        what = f"{self._settings.host} answers {code} to {step}: {_text(text)}"
        if 400 <= code < 500 or code < 0:
            raise Unavailable(
                what
            )  # RFC 5321, 4.2.1: the server did not accept the mail, and the same one may be tried again
        if code >= 500:
            raise Refused(what)


def mail(settings: MailSettings, message: Message) -> EmailMessage:
    """The mail of a notice. Its headers come from the configuration, but for the subject, which is one line without controls."""
    content = EmailMessage()
    domain = settings.sender.rpartition("@")[2]
    content["From"] = Address("syncd", addr_spec=settings.sender)
    content["To"] = ", ".join(settings.to)
    content["Subject"] = plain.subject(message.notice)
    content["Date"] = format_datetime(datetime.fromtimestamp(message.at, UTC))
    content["Message-ID"] = f"<{message.identifier}@{domain}>"
    if message.notice.thread:
        # All mails about one crash become a conversation.
        content["References"] = f"<{message.notice.thread}@{domain}>"
    content["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday reply comes back
    content["X-Mailer"] = f"syncd/{__version__}"
    content.set_content(plain.write(message.notice), charset="utf-8")
    return content


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _text(answer: bytes) -> str:
    return one_line(answer.decode("utf-8", "replace"), 200, otherwise="")


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it timed out"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(_bytes(error.smtp_error))}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return one_line(str(error), 200)
