from polyclinic.base.jobs.queue import NewJob, counts, enqueue, purge, revive


async def test_a_job_is_there_when_its_transaction_commits(queue, clock, fetch):
    async with queue.acquire() as connection, connection.transaction():
        await enqueue(connection, [NewJob(3, "note", {"patient": "p1"})], clock)

    assert await fetch("select tenant, kind, payload, state from job") == [
        (3, "note", '{"patient": "p1"}', "waiting")
    ]


async def test_a_job_is_not_there_when_its_transaction_fails(queue, clock, fetch):
    async with queue.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await enqueue(connection, [NewJob(3, "note")], clock)
        await transaction.rollback()

    assert await fetch("select * from job") == []


async def test_a_key_makes_a_job_come_once_for_a_tenant_and_kind(put):
    first = await put(key="letter-7")
    again = await put(key="letter-7")
    elsewhere = await put(key="letter-7", tenant=2)

    assert (len(first), again, len(elsewhere)) == (1, [], 1)


async def test_jobs_without_a_key_are_never_the_same(put):
    assert len(await put() + await put()) == 2


async def test_done_jobs_are_cleared_after_a_while_and_dead_ones_stay(queue, put, clock, fetch):
    await put()
    await put(tenant=2)
    await fetch("update job set state = 'done', finished = $1 where tenant = 1", clock.now())
    await fetch("update job set state = 'dead', finished = $1 where tenant = 2", clock.now())

    async with queue.acquire() as connection:
        early = await purge(connection, clock.now())
        later = await purge(connection, clock.advance(days=8))
        left = await counts(connection)

    assert (early, later, left) == (0, 1, {"dead": 1})


async def test_a_dead_job_is_revived_with_all_its_attempts(queue, put, clock, fetch):
    (job,) = await put()
    await fetch("update job set state = 'dead', attempts = 5, finished = $1", clock.now())

    async with queue.acquire() as connection:
        was_dead = await revive(connection, job, clock)
        is_dead = await revive(connection, job, clock)

    assert (was_dead, is_dead) == (True, False)
    assert await fetch("select state, attempts from job") == [("waiting", 0)]
