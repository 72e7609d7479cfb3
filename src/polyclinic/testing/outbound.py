"""Recorders of what would have left this machine."""

from collections.abc import Mapping

from polyclinic.base.outbound import HttpRequest, HttpResponse, MailMessage, SmsMessage


class RecordedMail:
    """Keeps every mail instead of sending it."""

    def __init__(self) -> None:
        self.sent: list[MailMessage] = []

    async def send(self, message: MailMessage) -> None:
        """Keep the mail."""
        self.sent.append(message)


class RecordedSms:
    """Keeps every text message instead of sending it."""

    def __init__(self) -> None:
        self.sent: list[SmsMessage] = []

    async def send(self, message: SmsMessage) -> None:
        """Keep the message."""
        self.sent.append(message)


class RecordedHttp:
    """Keeps every request and answers it with what the test prepared."""

    def __init__(self, answers: Mapping[str, HttpResponse] | None = None) -> None:
        self.requests: list[HttpRequest] = []
        self._answers = dict(answers or {})

    def answer(self, url: str, response: HttpResponse) -> None:
        """Prepare the answer to a URL."""
        self._answers[url] = response

    async def request(self, request: HttpRequest) -> HttpResponse:
        """Keep the request and return its answer; a URL that nobody prepared is 404."""
        self.requests.append(request)
        return self._answers.get(request.url, HttpResponse(404))
