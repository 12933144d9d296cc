"""Running a Program where torch is, away from the process that asks for it."""
