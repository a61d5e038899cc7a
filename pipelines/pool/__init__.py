"""The Ray service: actors that each hold a model, the pool that owns them, and the clients that send them batches.

An actor, as the supervisor that owns it sees it (`supervisor.py`, `actor_slot.py`); each name of the pool is a slot:

    (no actor) --create--> STARTING --first ping--> IDLE <--batch begins, ends--> BUSY
        ^                     |                        \\                          /
        |                     | constructor raised,     \\-- no answer for 15 s --/ --> SILENT, until it answers
        |                     | or no answer in
        |                     | `start_seconds`          process died: Ray restarts it, it is STARTING again
        +-- after a back-off -+
                              | `max_failed_starts` in a row
                              +--> GIVEN_UP; when all are, the pool has failed and clients are told

    IDLE, BUSY --too many, or pool stopped--> DRAINING --batch ended, or time is up--> (gone)

A batch, as the client that sent it sees it (`dispatch.py`, `pending_batch.py`):

    queued --room in an actor's window--> sent --answer--> kept: each of its rows has exactly one result
      ^                                    |
      |                                    +-- refused: the actor drains           --> queued, nothing charged
      |                                    +-- actor died, another batch was running --> queued, nothing charged
      |                                    +-- actor died or overdue, this one was running: a failure is charged
      |                                             first failure   --> queued whole
      |                                             second failure  --> two halves queued, one failure each
      +---------------------------------------------  one row alone  --> queued, up to `max_attempts` failures,
                                                                         then answered with a `RowError`

What holds it together: an actor writes the id of its batch into the cluster's key-value table before it begins, so a
death is charged to one batch at most; a batch leaves the queue only when it is sent and `_Sent` only when it is
answered, charged or queued again, so no row is lost; a result is kept only where there is none, so none is kept twice.
"""
