"""The official client of Python on one broker: a line for each check that passed, and an end at the first that did not.

Arguments: the URL of a broker that knows ann, whose password is secret, and takes 5000 bytes; that of one that knows
the token "open sesame". A line that begins with `please` asks whoever runs this to do it, and an empty line on
standard input says that it is done. Keys are not tried: what signs for this client is published as source alone.

Source: package nats-py 2.16.0.
"""

import asyncio
import sys

import nats
from nats import errors

PATIENCE = 30
PAYLOAD_MAX = 5000
MANY = 1000
GUARDED, TOKEN = sys.argv[1:]


async def connect(**options):
    return await nats.connect(GUARDED, user="ann", password="secret", **options)


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"found {found!r}, wanted {wanted!r}")


async def settled(client):
    """The broker acted on all that was said so far: it answers to what comes behind. PING of this client does not."""
    await fails(client.request("nobody.takes.this", timeout=PATIENCE), errors.NoRespondersError)


async def texts(heard, count):
    got = [await heard.next_msg(timeout=PATIENCE) for _ in range(count)]
    return [f"{message.subject} {message.data.decode()}" for message in got]


async def fails(doing, kind, said=""):
    try:
        await doing
    except kind as error:
        if said not in str(error):
            raise AssertionError(f"found {error}, wanted {said}") from error
        return
    raise AssertionError(f"no {kind.__name__}")


async def subjects_and_wildcards_are_heard():
    hears, says = await connect(), await connect()
    stars, rest = await hears.subscribe("news.*.today"), await hears.subscribe("news.>")
    await settled(hears)
    for subject, body in [
        ("news", b"too short"),
        ("news.sport.today", b"goal"),
        ("news.art", b"late"),
        ("news.end.today", b""),
    ]:
        await says.publish(subject, body)
    equal(await texts(stars, 2), ["news.sport.today goal", "news.end.today "])
    equal(await texts(rest, 3), ["news.sport.today goal", "news.art late", "news.end.today "])
    await hears.close()
    await says.close()


async def a_group_shares_the_work():
    says, shares, workers = await connect(), [0, 0, 0], []
    for at in range(3):
        async def work(_, at=at):
            shares[at] += 1
        worker = await connect()
        await worker.subscribe("work", queue="group", cb=work)
        await settled(worker)
        workers.append(worker)
    for _ in range(300):
        await says.publish("work")
    await settled(says)
    for worker in workers:
        await worker.drain()
    equal(sum(shares), 300)
    if min(shares) < 30:
        raise AssertionError(f"shares of {shares}")
    await says.close()


async def a_request_with_headers_is_answered():
    asks, serves = await connect(), await connect()

    async def answer(question):
        seen = (question.headers or {}).get("Colour", "none")
        await serves.publish(question.reply, b"yes, " + question.data, headers={"Seen": seen})

    await serves.subscribe("ask", cb=answer)
    await settled(serves)
    told = await asks.request("ask", b"sky", timeout=PATIENCE, headers={"Colour": "blue: very"})
    equal((told.data, told.headers), (b"yes, sky", {"Seen": "blue: very"}))
    # The older way, with an inbox for each question; it has no headers.
    told = await asks.request("ask", b"sea", timeout=PATIENCE, old_style=True)
    equal((told.data, told.headers), (b"yes, sea", {"Seen": "none"}))
    await asks.close()
    await serves.close()


async def who_asks_nobody_is_told_so():
    client = await connect()
    await fails(client.request("ask", timeout=PATIENCE), errors.NoRespondersError)
    await client.close()


async def a_subscription_ends_after_as_many_as_it_wanted():
    client = await connect()
    heard = await client.subscribe("one")
    await heard.unsubscribe(limit=2)
    for body in (b"1", b"2", b"3"):
        await client.publish("one", body)
    await settled(client)
    equal([message.data async for message in heard.messages], [b"1", b"2"])
    await client.close()


async def a_name_and_a_password_open():
    for user, password in (("ann", "other"), ("eve", "secret"), (None, None)):
        refused = nats.connect(GUARDED, user=user, password=password, allow_reconnect=False)
        await fails(refused, errors.Error, "Authorization Violation")
    client = await connect()
    await settled(client)
    await client.close()


async def a_token_opens():
    for token in ("open barley", None):
        refused = nats.connect(TOKEN, token=token, allow_reconnect=False)
        await fails(refused, errors.Error, "Authorization Violation")
    client = await nats.connect(TOKEN, token="open sesame")
    await settled(client)
    await client.close()


async def a_message_that_is_too_big_is_an_error():
    client = await connect()
    equal(client.max_payload, PAYLOAD_MAX)
    heard = await client.subscribe("one")
    await fails(client.publish("one", b"x" * (PAYLOAD_MAX + 1)), errors.MaxPayloadError)
    await client.publish("one", b"x" * PAYLOAD_MAX)
    equal(len((await heard.next_msg(timeout=PATIENCE)).data), PAYLOAD_MAX)
    await client.close()


async def a_drained_subscription_keeps_what_came_in():
    client, count = await connect(), 0

    async def hear(_):
        nonlocal count
        count += 1

    heard = await client.subscribe("one", cb=hear)
    for _ in range(MANY):
        await client.publish("one")
    await settled(client)
    await heard.drain()
    await client.publish("one")
    await settled(client)
    equal(count, MANY)
    await client.close()


async def a_drained_connection_leaves_nothing_unsaid():
    hears, says = await connect(), await connect()
    heard = await hears.subscribe("one")
    await settled(hears)
    for _ in range(MANY):
        await says.publish("one", b"said")
    await says.drain()
    equal(says.is_closed, True)
    await fails(says.publish("one"), errors.ConnectionClosedError)
    equal(await texts(heard, MANY), ["one said"] * MANY)
    await hears.close()


async def please(do):
    print("please", do, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def after_the_broker_was_away_all_is_heard_again():
    lost, back = asyncio.Event(), asyncio.Event()

    async def is_lost():
        lost.set()

    async def is_back():
        back.set()

    client = await connect(
        disconnected_cb=is_lost, reconnected_cb=is_back, reconnect_time_wait=0.1, max_reconnect_attempts=-1
    )
    heard, shared = await client.subscribe("after.*"), await client.subscribe("after.*", queue="group")
    await settled(client)
    await please("stop")
    await lost.wait()
    await please("start")
    await back.wait()
    await settled(client)
    other = await connect()
    await other.publish("after.it", b"again")
    equal(await texts(heard, 1), ["after.it again"])
    equal(await texts(shared, 1), ["after.it again"])
    await client.close()
    await other.close()


async def main():
    for check in (
        subjects_and_wildcards_are_heard,
        a_group_shares_the_work,
        a_request_with_headers_is_answered,
        who_asks_nobody_is_told_so,
        a_subscription_ends_after_as_many_as_it_wanted,
        a_name_and_a_password_open,
        a_token_opens,
        a_message_that_is_too_big_is_an_error,
        a_drained_subscription_keeps_what_came_in,
        a_drained_connection_leaves_nothing_unsaid,
        after_the_broker_was_away_all_is_heard_again,
    ):
        try:
            await asyncio.wait_for(check(), 2 * PATIENCE)
        except BaseException:
            print("failed", check.__name__, flush=True)
            raise
        print("passed", check.__name__, flush=True)


asyncio.run(main())
