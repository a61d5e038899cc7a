"""The Ray service: actors that each hold a model, the pool that owns them, and the clients that send them batches.

An actor, as the supervisor that owns it sees it (`supervisor.py`, `actor_slot.py`); each name of the pool is a slot:

    (no actor)        -- made ------------------------> STARTING
    STARTING          -- first answer to a ping ------> IDLE
    IDLE              -- a batch begins --------------> BUSY, until it ends
    IDLE, BUSY        -- no answer for 15 s ----------> SILENT, until it answers

    STARTING, IDLE, BUSY, SILENT:
      -- its process died, and Ray restarts it -------> STARTING
      -- its constructor raised, or Ray's restarts
         are used up, and it had answered ------------> (no actor), made again at once
                      and it had never answered ------> (no actor), made again after a back-off: a failed start;
                                                        GIVEN_UP after `max_failed_starts` of them in a row
      -- no answer for `start_seconds` ---------------> (no actor), made again at once: no failed start
      -- too many, or the pool is stopped ------------> DRAINING

    DRAINING          -- its batch ended, it died, had
                         never answered, or its time
                         is up -----------------------> (gone)
    GIVEN_UP          -- the pool is scaled ----------> (gone), and another name takes its place

When all names are given up, the pool has failed and clients are told.

A batch, as the client that sent it sees it (`dispatch.py`, `pending_batch.py`):

    queued --room in an actor's window--> sent --answer--> kept: each of its rows has exactly one result
      ^                                    |
      |                                    +-- refused: the actor drains           --> queued, nothing charged
      |                                    +-- actor died, another batch was running --> queued, nothing charged
      |                                    +-- actor died or overdue, this one was running: a failure is charged
      |                                             first failure   --> queued whole
      |                                             second failure  --> two halves queued: a half of several rows
      |                                                                 with one failure, a row alone with none
      +---------------------------------------------  a row alone    --> queued, up to `max_attempts` failures,
                                                                         then answered with a `RowError`

What holds it together: an actor writes the id of its batch into the cluster's key-value table before it begins, so a
death is charged to one batch at most; a batch leaves the queue only when it is sent and `_Sent` only when it is
answered, charged or queued again, so no row is lost; a result is kept only where there is none, so none is kept twice.
"""
