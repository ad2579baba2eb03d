"""`schedule=full` is what the four papers say, number by number; what they do not say stands in no list here."""

import pytest
import torch

from train.settings import chosen

SAID = {
    # Zhou et al. 2023, Sec. 4.2 and Table 5: mirrored at random in training, nothing else, and tested as they are
    "dual_atme": {
        "fit": {
            "epochs": 60,
            "batch": 128,
            "lr": 1e-3,
            "weight_decay": 0,
            "dropout": 0.5,
            "similarity": 0.01,
            "gamma": 2.0,
            "mixup": 0,
            "shift": 0,
            "scale": 0,
            "rotate": 0,
            "balance": 0,
            "mirror": False,
        },
        "model": {"hars": True, "aars": True},
    },
    # Sec. 4.2: no mirroring, no schedule of the rate, alpha from the sizes of the classes
    "skd_tstsan": {
        "fit": {
            "pretrain_iterations": 10_000,
            "iterations": 20_000,
            "batch": 16,
            "lr": 1e-3,
            "weight_decay": 5e-4,
            "decay": False,
            "gamma": 2.0,
            "evened": False,
            "distil_share": 0.1,
            "distil_features": 1e-6,
            "temperature": 3.0,
            "frozen": False,
            "mirror": False,
        },
        "model": {"amplification": 2.0, "magnify": True, "eca": True, "shift": True, "distil": True, "fields": 2},
    },
    # Sec. 4.1.2: mirrored and turned to ten times the data
    "moext": {
        "fit": {
            "pretrain_epochs": 30,
            "epochs": 30,
            "batch": 20,
            "copies": 10,
            "lr": 1e-4,
            "pretrain_lr": 1e-4,
            "decay": False,
            "weight_decay": 1e-4,
            "dropout": 0,
            "rotate": 10.0,
            "shift": 0,
            "scale": 0,
            "light": 0,
            "views": 3,
            "mirror": False,
        },
        "model": {"width": 1.0, "size": 224, "fold": 1, "stages": 4, "pretrain": True, "contrastive": True, "motion_extractor": True},
    },
    # Sec. 3.2 and 3.3: batches and one rate; pictures of 256 pixels; the teacher of Table 2
    "sa_at": {
        "fit": {
            "teacher_batch": 64,
            "teacher_lr": 1e-4,
            "batch": 16,
            "lr": 1e-4,
            "decay": False,
            "weight_decay": 0,
            "shift": 0,
            "scale": 0,
            "rotate": 0,
            "mixup": 0,
            "balance": 0,
            "mirror": False,
        },
        "model": {"size": 256, "teacher_depth": 110, "transfer": True, "style": True},
    },
}  # fmt: skip - a paper's numbers side by side


@pytest.mark.parametrize("name", SAID)
def test_the_full_schedule_is_the_papers(name):
    settings = chosen(f"model={name}", "schedule=full")
    for part, said in SAID[name].items():
        here = vars(getattr(settings, part))
        assert {key: here[key] for key in said} == said


@pytest.mark.parametrize("name", ["dual_atme", "sa_at", "moext", "skd_tstsan"])
def test_what_is_ours_is_in_the_quick_schedule_alone(name):
    full, quick = (vars(chosen(f"model={name}", f"schedule={schedule}").fit) for schedule in ("full", "cpu"))
    assert quick["mirror"] and not full["mirror"]


def test_the_focal_loss_of_the_paper_is_a_mean_over_the_batch():
    """Eq. 7 of SKD-TSTSAN: a batch of the rare class weighs more than one of the usual class; evened, both weigh alike."""
    from train.methods.dual_atme.network import focal

    logits, weight = torch.zeros(4, 2), torch.tensor([0.9, 0.1])
    rare, usual = (torch.nn.functional.one_hot(torch.full((4,), which), 2).float() for which in (0, 1))
    as_written = [focal(logits, target, 2.0, weight, evened=False).item() for target in (rare, usual)]
    assert as_written[0] == pytest.approx(9 * as_written[1]) == pytest.approx(0.9 * 0.25 * torch.log(torch.tensor(2.0)).item())
    assert focal(logits, rare, 2.0, weight).item() == pytest.approx(focal(logits, usual, 2.0, weight).item())
