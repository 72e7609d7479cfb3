from datetime import timedelta

from polyclinic.base.outbound import HttpRequest, HttpResponse, MailMessage, SmsMessage
from polyclinic.testing.clock import MORNING


def test_the_clock_stands_until_it_is_moved(clock):
    before = clock.now()

    clock.advance(minutes=5)

    assert (before, clock.now() - before) == (MORNING, timedelta(minutes=5))


def test_the_clock_is_put_to_a_moment(clock):
    clock.set(MORNING.replace(year=2000))

    assert clock.now().year == 2000


def test_ids_count_up(ids):
    assert [ids.new(), ids.new()] == ["id-1", "id-2"]


async def test_mail_is_kept(mail):
    message = MailMessage("ward@example.org", "Bed 7", "is free")

    await mail.send(message)

    assert mail.sent == [message]


async def test_text_messages_are_kept(sms):
    message = SmsMessage("+390612345", "Bed 7 is free")

    await sms.send(message)

    assert sms.sent == [message]


async def test_requests_get_the_prepared_answer(outbound_http):
    outbound_http.answer("https://example.org/a", HttpResponse(200, body=b"yes"))

    known = await outbound_http.request(HttpRequest("GET", "https://example.org/a"))
    other = await outbound_http.request(HttpRequest("GET", "https://example.org/b"))

    assert (known.body, other.status) == (b"yes", 404)
    assert [request.url[-1] for request in outbound_http.requests] == ["a", "b"]
