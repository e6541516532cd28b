"""torchvision's weights in our networks: the trained guides of the paper.

torchvision is imported here alone, and only to fetch them.
"""

import re
from collections.abc import Mapping

from .seeding import seeded

BUILDS = {
    "resnet18": 'ResNet(stem="imagenet", outputs=1000)',
    "resnet50": 'ResNet(stem="imagenet", outputs=1000, blocks=(3, 4, 6, 3), block="bottleneck")',
    "vit_b_16": "ViT(inputs=(3, 224, 224), outputs=1000, patch=16, width=768, depth=12, heads=12)",
}
HEAD_WIDTH = 64  # units of a head in torchvision's ViT-B: the one size that no weight's shape tells
# torchvision's name, as a pattern, and ours; older files call the feed-forward layers linear_1 and linear_2.
VIT_NAMES = [
    (r"class_token", "class_token"),
    (r"encoder\.pos_embedding", "position"),
    (r"conv_proj\.(weight|bias)", r"embed.\1"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.(weight|bias)", r"blocks.\1.norm\2.\3"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(weight|bias)", r"blocks.\1.qkv.\2"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.(weight|bias)", r"blocks.\1.out.\2"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\.(weight|bias)", r"blocks.\1.up.\2"),
    (r"encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\.(weight|bias)", r"blocks.\1.down.\2"),
    (r"encoder\.ln\.(weight|bias)", r"norm.\1"),
    (r"heads\.head\.(weight|bias)", r"head.\1"),
]


def load_torchvision(net, name, *, weights="DEFAULT", seed=0):
    """Copy the weights of torchvision's resnet18, resnet50 or vit_b_16 into our ResNet or ViT, and return it.

    weights: the name of trained weights, which torchvision downloads ("DEFAULT" are its best; the paper's
    guides are "IMAGENET1K_V1"); None for torchvision's own random ones, drawn from `seed`; or a state dict
    under torchvision's names, for which torchvision need not be there. ImportError without torchvision
    otherwise. ValueError for another name, and where names or shapes disagree: the net is then as it was.

    >>> from guidelib.networks import ResNet
    >>> net, other = ResNet(width=4, seed=0), ResNet(width=4, seed=1)
    >>> net = load_torchvision(net, "resnet18", weights=other.state_dict())
    >>> torch.equal(net.fc.weight, other.fc.weight)
    True
    """
    if name not in BUILDS:
        raise ValueError(f"name is one of {list(BUILDS)}, received {name!r}")
    state = dict(weights) if isinstance(weights, Mapping) else fetched(name, weights, seed)
    if name == "vit_b_16":
        state = vit_state(state)
        check_heads(net)
    check_fit(net, name, state)
    net.load_state_dict(state)
    return net


def fetched(name, weights, seed):
    """The state dict of one of torchvision's networks, made by torchvision itself."""
    try:
        from torchvision.models import get_model, get_model_weights
    except (ImportError, RuntimeError) as error:  # a RuntimeError where it was built for another torch
        raise ImportError(f"load_torchvision({name!r}, weights={weights!r}) needs torchvision, and importing "
                          f"it failed ({error}): install the torchvision made for your torch "
                          "(pytorch.org/get-started/locally), or pass a state dict as weights") from error
    if isinstance(weights, str):
        known = list(get_model_weights(name).__members__)
        if weights not in known:
            raise ValueError(f"weights of {name} are one of {known}, None or a state dict, "
                             f"received {weights!r}")
    with seeded(seed):
        return get_model(name, weights=weights).state_dict()


def vit_state(state):
    """A ViT's state dict under our names; names that torchvision's ViT has not stay, for check_fit to report.

    >>> list(vit_state({"encoder.layers.encoder_layer_3.mlp.0.bias": None}))
    ['blocks.3.up.bias']
    """
    renamed = {}
    for name, tensor in state.items():
        if name == "conv_proj.weight":  # a convolution of stride `patch` is a Linear of the patches
            tensor = tensor.flatten(1)  # (width, c patch patch)
        for pattern, ours in VIT_NAMES:
            if match := re.fullmatch(pattern, name):
                name = match.expand(ours)
                break
        renamed[name] = tensor
    return renamed


def check_heads(net):
    """Other heads would take the same weights without complaint, and compute something else."""
    for block in getattr(net, "blocks", ()):
        width = block.out.out_features // block.heads
        if width != HEAD_WIDTH:
            raise ValueError(f"vit_b_16 has attention heads of {HEAD_WIDTH} units, received a net whose "
                             f"{block.heads} heads have {width}: build it as {BUILDS['vit_b_16']}")


def check_fit(net, name, state):
    """Raise a ValueError, before anything is copied, unless net and state have the same names and shapes."""
    own = net.state_dict()
    wrong = [f"{key}: only in the net" for key in own.keys() - state.keys()]
    wrong += [f"{key}: only in the weights" for key in state.keys() - own.keys()]
    for key in own.keys() & state.keys():
        ours = tuple(own[key].shape)
        theirs = tuple(state[key].shape)
        if ours != theirs:
            wrong.append(f"{key}: {ours} in the net, {theirs} in the weights")
    if wrong:
        first = "; ".join(sorted(wrong)[:3])
        raise ValueError(f"the weights of {name} do not fit this {type(net).__name__} in {len(wrong)} "
                         f"places, such as {first}. torchvision's own fit {BUILDS[name]}")
