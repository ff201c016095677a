"""The plan: from hours a week to a calendar that adapts to the time really spent, and an end that is said honestly.

`making.make_plan` is a pure function of the events, the track, the settings and the moment; everything else here serves it, or
shows what it gives.
"""
