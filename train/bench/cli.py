"""`mer-bench`: `live` comes with the stream; all others need what is in `train`."""

from realtime.cli.bench import main
from train.bench.archive import archive
from train.bench.damage.cli import damage
from train.bench.early import early
from train.bench.flow.cli import flow
from train.bench.gpu.cli import gpu, gpu_bundle
from train.bench.methods import methods
from train.bench.page.cli import page
from train.bench.paper.cli import paper
from train.bench.people.cli import people
from train.bench.soak.cli import soak
from train.bench.spotting.cli import baseline, spotting, trials
from train.bench.units import units

for command in (archive, baseline, damage, early, flow, gpu, gpu_bundle, methods, page, paper, people, soak, spotting, trials, units):
    main.add_command(command)

if __name__ == "__main__":
    main()
