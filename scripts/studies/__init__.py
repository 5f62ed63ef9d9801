"""Studies of the testbed: what it costs, how often it errs, how it compares with fio. Using it needs none of them."""
