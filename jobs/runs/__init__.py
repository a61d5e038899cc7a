"""The work that several commands share: sessions, pools, nightly runs, snapshots and benches."""
