"""A class on a Slurm cluster: the script of a job array, one shard a task, that share nothing but the output folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=groundup-grade
#SBATCH --array=1-{shards}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={processors}
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --output=groundup-grade-%A-%a.log
# A task that is cut off is run again with `sbatch --array=ITS_NUMBER`: what has been graded is not graded again.
# When all are done, this puts them together and writes the report:
#   {merge}
set -euo pipefail
cd -- {here}
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
exec {command} --workers "${{SLURM_CPUS_PER_TASK:-{processors}}}" --shard "${{SLURM_ARRAY_TASK_ID}}/{shards}" -- {places}
"""


def script(python: str, flags: Sequence[str], places: Sequence[str], here: str, shards: int, processors: int) -> str:
    """The script. Flags and places are those of `groundup grade` without a shard; `here` is the folder they are relative to."""
    command, named = shlex.join([python, "-m", "groundup", "grade", *flags]), shlex.join(places)
    merge = f"cd -- {shlex.quote(here)} && {command} -- {named}".replace("\n", "?")  # a comment is one line
    return SCRIPT.format(
        shards=shards, processors=processors, merge=merge, here=shlex.quote(here), command=command, places=named
    )
