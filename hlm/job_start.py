"""What a job's script imports before all else, so that its other imports are quick."""

from hlm.garbage import look_for_little_garbage

look_for_little_garbage()
