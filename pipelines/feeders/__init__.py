"""Several feeders: processes that each run a Beam pipeline over the shards that the launcher gives them.

A shard, as the launcher sees it (`shard_queue.py`):

    waiting --given to a feeder with room--> out --its end is told--> ended, once and for all
       ^                                      |
       |                                      +-- the feeder is lost, the shard is committed  --> ended
       +--------------------------------------+-- the feeder is lost, the shard is not        --> waiting, first in line
                                              +-- three feeders were lost with it, the last
                                                  with this shard alone                       --> failed

A feeder, as the launcher sees it (`hand_out.py`): it is asked again and again for what it has ended, and is given
shards with each question. One that dies, or does not answer for `SILENT_SECONDS`, is ended and replaced. A feeder that
was not asked for `LEASE_SECONDS`, which are fewer, commits nothing any more (`given_shards.py`): so a shard that was
given to another one is committed by that one alone.

Files are planned ahead of the work (`files_ahead.py`), so that no actor waits between two of them.
"""
