"""Is a store whole, and do two stores hold the same?"""
