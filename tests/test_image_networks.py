"""Image networks: ResNet-50, the Deep ConvNet without skips, the ViT, and torchvision's weights in them.

The oracle is a plain functional forward on a state dict under torchvision's names, so that torchvision need
not be there.
"""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import selected
from guidelib.guidance.controls import same_family
from guidelib.networks import FCN, ResNet, ViT, load_torchvision
from guidelib.networks.pretrained import vit_state
from guidelib.networks.seeding import seeded
from guidelib.tasks import digits

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
DEEP = {"blocks": (3, 4, 6, 3), "block": "bottleneck"}
FULL = {
    "resnet18": lambda: ResNet(stem="imagenet", outputs=1000),
    "resnet50": lambda: ResNet(stem="imagenet", outputs=1000, **DEEP),
    "vit_b_16": lambda: ViT(inputs=(3, 224, 224), outputs=1000, patch=16, width=768, depth=12, heads=12),
}
# Published with torchvision's weights.
SIZES = {"resnet18": 11_689_512, "resnet50": 25_557_032, "vit_b_16": 86_567_656}
SMALL = {"inputs": (1, 8, 8), "width": 16, "heads": 2}  # a ViT
BUILD = {
    "resnet50": lambda seed=0: ResNet(channels=1, width=2, stem="imagenet", **DEEP, seed=seed),
    "convnet": lambda seed=0: ResNet(channels=1, width=2, **DEEP, skips=False, init="default", seed=seed),
    "plain": lambda seed=0: ResNet(channels=1, width=2, skips=False, seed=seed),
    "vit": lambda seed=0: ViT(**SMALL, patch=2, depth=2, seed=seed),
    "vit-dropout": lambda seed=0: ViT(**SMALL, patch=4, depth=1, mlp=5, dropout=0.2, seed=seed),
}
networks = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


# The oracle: names and shapes of torchvision's state dicts, and their forward as functions

def resnet_shapes(*, blocks, bottleneck, width=64, channels=3, outputs=1000, skips=True):
    shapes = {}

    def conv(name, norm, q, p, kernel):
        shapes[f"{name}.weight"] = (q, p, kernel, kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = (q,)
        shapes[f"{norm}.num_batches_tracked"] = ()

    conv("conv1", "bn1", width, channels, 7)
    p = width
    for stage, count in enumerate(blocks, 1):
        inner = width * 2 ** (stage - 1)
        q = 4 * inner if bottleneck else inner
        for i in range(count):
            at = f"layer{stage}.{i}"
            kernels = [(inner, p, 3), (inner, inner, 3)]
            if bottleneck:
                kernels = [(inner, p, 1), (inner, inner, 3), (q, inner, 1)]
            for j, kernel in enumerate(kernels, 1):
                conv(f"{at}.conv{j}", f"{at}.bn{j}", *kernel)
            if skips and i == 0 and p != q:
                conv(f"{at}.downsample.0", f"{at}.downsample.1", q, p, 1)
            p = q
    return shapes | {"fc.weight": (outputs, p), "fc.bias": (outputs,)}


def vit_shapes(*, size=224, patch=16, width=768, depth=12, mlp=3072, channels=3, outputs=1000):
    shapes = {"class_token": (1, 1, width), "conv_proj.weight": (width, channels, patch, patch),
              "conv_proj.bias": (width,), "encoder.pos_embedding": (1, 1 + (size // patch) ** 2, width)}
    linears = [("self_attention.out_proj.", width, width), ("self_attention.in_proj_", 3 * width, width),
               ("mlp.0.", mlp, width), ("mlp.3.", width, mlp)]
    for i in range(depth):
        at = f"encoder.layers.encoder_layer_{i}."
        for name, q, p in linears:
            shapes |= {f"{at}{name}weight": (q, p), f"{at}{name}bias": (q,)}
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{at}{norm}.weight": (width,), f"{at}{norm}.bias": (width,)}
    shapes |= {"encoder.ln.weight": (width,), "encoder.ln.bias": (width,)}
    return shapes | {"heads.head.weight": (outputs, width), "heads.head.bias": (outputs,)}


SHAPES = {
    "resnet18": resnet_shapes(blocks=(2, 2, 2, 2), bottleneck=False),
    "resnet50": resnet_shapes(blocks=(3, 4, 6, 3), bottleneck=True),
    "vit_b_16": vit_shapes(),
}


def drawn(shapes, seed=0):
    """Weights that hide nothing: no bias 0, no gain 1, no running statistics left as they begin.

    They are float64, for tolerances that bite.
    """
    g = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if not shape:
            state[name] = torch.tensor(5)
        elif "running_var" in name or name.endswith("weight") and len(shape) == 1:
            state[name] = 0.5 + torch.rand(shape, generator=g, dtype=torch.float64)
        else:
            spread = 0.3 if len(shape) == 1 else 1.3 * torch.Size(shape[1:]).numel() ** -0.5
            state[name] = spread * torch.randn(shape, generator=g, dtype=torch.float64)
    return state


def resnet_oracle(s, x, *, bottleneck, skips=True):
    def conv_bn(x, conv, norm, **options):
        weight = s[f"{conv}.weight"]
        x = F.conv2d(x, weight, padding=weight.shape[-1] // 2, **options)
        parts = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(s[f"{norm}.{part}"] for part in parts))

    x = conv_bn(x, "conv1", "bn1", stride=2).clamp(min=0)
    x = F.max_pool2d(x, 3, 2, 1)
    for stage in range(1, 5):
        blocks = {name.split(".")[1] for name in s if name.startswith(f"layer{stage}.")}
        for i in range(len(blocks)):
            at = f"layer{stage}.{i}"
            step = 2 if stage > 1 and i == 0 else 1
            strides = (1, step, 1) if bottleneck else (step, 1)
            y = x
            for j, stride in enumerate(strides, 1):
                y = conv_bn(y, f"{at}.conv{j}", f"{at}.bn{j}", stride=stride)
                if j < len(strides):
                    y = y.clamp(min=0)
            if f"{at}.downsample.0.weight" in s:
                x = conv_bn(x, f"{at}.downsample.0", f"{at}.downsample.1", stride=step)
            if skips:
                y = y + x
            x = y.clamp(min=0)
    return x.mean((2, 3)) @ s["fc.weight"].T + s["fc.bias"]


def vit_oracle(s, x, *, heads):
    width, _, _, patch = s["conv_proj.weight"].shape
    x = F.conv2d(x, s["conv_proj.weight"], s["conv_proj.bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2)  # (n, t - 1, width)
    x = torch.cat([s["class_token"].expand(len(x), 1, width), x], 1) + s["encoder.pos_embedding"]

    def norm(x, name):
        return F.layer_norm(x, (width,), s[f"{name}.weight"], s[f"{name}.bias"], eps=1e-6)

    for i in range(sum(name.endswith("in_proj_weight") for name in s)):
        at = f"encoder.layers.encoder_layer_{i}"
        q = norm(x, f"{at}.ln_1").transpose(0, 1)  # (t, n, width), as this function of torch wants it
        parts = ("in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias")
        w_in, b_in, w_out, b_out = (s[f"{at}.self_attention.{part}"] for part in parts)
        y, _ = F.multi_head_attention_forward(q, q, q, width, heads, w_in, b_in, None, None, False, 0.0,
                                              w_out, b_out, training=False)
        x = x + y.transpose(0, 1)
        y = F.linear(norm(x, f"{at}.ln_2"), s[f"{at}.mlp.0.weight"], s[f"{at}.mlp.0.bias"])
        y = y * 0.5 * (1 + torch.erf(y / 2**0.5))
        x = x + F.linear(y, s[f"{at}.mlp.3.weight"], s[f"{at}.mlp.3.bias"])
    return norm(x, "encoder.ln")[:, 0] @ s["heads.head.weight"].T + s["heads.head.bias"]


def images(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# torchvision's weights

@pytest.mark.parametrize("name", FULL)
def test_full_size_has_torchvisions_parameters(name):
    net = FULL[name]()
    theirs = {key: torch.empty(shape, device="meta") for key, shape in SHAPES[name].items()}
    sizes = [t.numel() for key, t in theirs.items() if "running" not in key and "batches" not in key]
    assert parameters(net) == sum(sizes) == SIZES[name]
    if name == "vit_b_16":
        theirs = vit_state(theirs)
    ours = {key: t.shape for key, t in net.state_dict().items()}
    assert ours == {key: t.shape for key, t in theirs.items()}


@pytest.mark.parametrize(("name", "options", "bottleneck"), [
    ("resnet18", {"blocks": (2, 2, 2, 2)}, False), ("resnet50", DEEP, True)])
def test_resnet_with_torchvisions_weights_gives_the_oracles_logits(name, options, bottleneck):
    state = drawn(resnet_shapes(blocks=options["blocks"], bottleneck=bottleneck, width=4, outputs=7))
    net = ResNet(width=4, outputs=7, stem="imagenet", **options).double().eval()
    load_torchvision(net, name, weights=state)
    x = images(2, 3, 70, 66)  # sizes that do not halve evenly: a misplaced stride or padding shows
    expected = resnet_oracle(state, x, bottleneck=bottleneck)
    torch.testing.assert_close(net(x), expected)
    assert expected.std() > 0.1  # not lost on the way: an oracle of zeros would agree with anything


def test_deep_convnet_gives_the_oracles_logits():
    state = drawn(resnet_shapes(blocks=DEEP["blocks"], bottleneck=True, width=4, outputs=7, skips=False))
    net = ResNet(width=4, outputs=7, stem="imagenet", **DEEP, skips=False, init="default").double().eval()
    net.load_state_dict(state)
    x = images(2, 3, 70, 66)
    torch.testing.assert_close(net(x), resnet_oracle(state, x, bottleneck=True, skips=False))


@pytest.mark.parametrize("names", ["today's", "those of older files"])
def test_vit_with_torchvisions_weights_gives_the_oracles_logits(names):
    state = drawn(vit_shapes(size=12, patch=4, width=128, depth=2, mlp=40, outputs=7))
    x = images(2, 3, 12, 12)
    expected = vit_oracle(state, x, heads=2)
    if names != "today's":
        for i in range(2):
            mlp = f"encoder.layers.encoder_layer_{i}.mlp"
            for part in ("weight", "bias"):
                state[f"{mlp}.linear_1.{part}"] = state.pop(f"{mlp}.0.{part}")
                state[f"{mlp}.linear_2.{part}"] = state.pop(f"{mlp}.3.{part}")
    net = ViT(inputs=(3, 12, 12), outputs=7, patch=4, width=128, depth=2, heads=2, mlp=40, dropout=0.5)
    net = net.double().eval()
    assert load_torchvision(net, "vit_b_16", weights=state) is net
    torch.testing.assert_close(net(x), expected)
    assert expected.std() > 0.1


def importable_torchvision():
    try:
        import torchvision.models
    except (ImportError, RuntimeError):
        return None
    return torchvision.models


@pytest.mark.skipif(importable_torchvision() is None,
                    reason="torchvision, no dependency of ours, is not there: the oracles stand in for it")
@pytest.mark.parametrize("name", FULL)
def test_logits_are_torchvisions(name):
    theirs = importable_torchvision().get_model(name, weights=None).eval()
    with torch.no_grad():
        for key, p in theirs.named_parameters():
            if p.ndim == 1 or "head" in key:
                p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(0)), alpha=0.1)
        net = load_torchvision(FULL[name](), name, weights=theirs.state_dict()).eval()
        x = images(1, 3, 224, 224).float()
        torch.testing.assert_close(net(x), theirs(x), rtol=1e-4, atol=1e-4)


@pytest.fixture
def imitation(monkeypatch):
    """A torchvision of two functions, which notes what it is asked for."""
    models = ModuleType("torchvision.models")
    models.asked = []

    def get_model(name, weights):
        models.asked.append((name, weights))
        seed = int(torch.randint(2**31, ()))  # from the global stream, as torchvision draws
        return ResNet(width=4, seed=seed)

    models.get_model = get_model
    models.get_model_weights = lambda name: SimpleNamespace(__members__={"IMAGENET1K_V1": 1, "DEFAULT": 2})
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    return models


def test_load_asks_torchvision_for_the_named_weights(imitation):
    net = ResNet(width=4, seed=9)
    load_torchvision(net, "resnet18")
    load_torchvision(net, "resnet18", weights="IMAGENET1K_V1")
    assert imitation.asked == [("resnet18", "DEFAULT"), ("resnet18", "IMAGENET1K_V1")]
    with pytest.raises(ValueError, match="IMAGENET1K_V1.*'V3'"):
        load_torchvision(net, "resnet18", weights="V3")


def test_load_draws_random_weights_from_its_seed_alone(imitation):
    before = torch.get_rng_state()
    nets = [load_torchvision(ResNet(width=4), "resnet18", weights=None, seed=seed) for seed in (1, 1, 2)]
    assert torch.equal(before, torch.get_rng_state())
    assert same(nets[0], nets[1])
    assert not same(nets[0], nets[2])


def test_load_without_torchvision_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(ImportError, match="resnet18.*install the torchvision.*state dict"):
        load_torchvision(ResNet(width=4), "resnet18")


def test_load_with_a_torchvision_of_another_torch_says_so(monkeypatch):
    """Its import then fails with a RuntimeError, which nobody expects."""

    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("torchvision"):
                raise RuntimeError("operator torchvision::nms does not exist")

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(ImportError, match="nms does not exist.*made for your torch"):
        load_torchvision(ResNet(width=4), "resnet18", weights=None)


@pytest.mark.parametrize(("options", "words"), [
    ({}, r"conv1.weight: \(4, 3, 3, 3\) in the net, \(4, 3, 7, 7\) in the weights"),
    ({"stem": "imagenet", "skips": False}, "downsample.*only in the weights"),
    ({"stem": "imagenet", "blocks": (2, 2, 3, 2)}, "layer3.2.*only in the net"),
])
def test_load_refuses_weights_that_do_not_fit_and_changes_nothing(options, words):
    state = drawn(resnet_shapes(blocks=(2, 2, 2, 2), bottleneck=False, width=4, outputs=10))
    net = ResNet(width=4, seed=3, **options)
    with pytest.raises(ValueError, match=words) as error:
        load_torchvision(net, "resnet18", weights=state)
    assert 'ResNet(stem="imagenet", outputs=1000)' in str(error.value)
    assert same(net, ResNet(width=4, seed=3, **options))


def test_load_refuses_other_heads_which_no_shape_would_tell():
    state = drawn(vit_shapes(size=12, patch=4, width=128, depth=1, mlp=40))
    net = ViT(inputs=(3, 12, 12), outputs=1000, patch=4, width=128, depth=1, heads=4, mlp=40)
    with pytest.raises(ValueError, match="heads of 64 units.*4 heads have 32"):
        load_torchvision(net, "vit_b_16", weights=state)


def test_load_refuses_an_unknown_network():
    with pytest.raises(ValueError, match=r"vit_b_16.*received 'vgg16'"):
        load_torchvision(ResNet(width=4), "vgg16")


# What all networks promise

@networks
def test_output_has_a_row_an_example_and_every_weight_a_gradient(build):
    net = build()
    out = net(IMAGES)
    assert out.shape == (6, 10)
    F.cross_entropy(out, torch.arange(6)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@networks
def test_a_seed_fixes_the_weights_and_leaves_the_global_stream_alone(build):
    before = torch.get_rng_state()
    assert same(build(3), build(3)) and not same(build(3), build(4))
    assert torch.equal(before, torch.get_rng_state())


@networks
def test_reset_draws_all_again_from_the_global_stream(build):
    fresh, used = build(0), build(1)
    with torch.no_grad():
        for tensor in (*used.parameters(), *used.buffers()):
            tensor.fill_(7)
    for net in (fresh, used):
        with seeded(3):
            net.reset_parameters()
    assert same(fresh, used)
    assert not same(used, build(1))


@networks
def test_same_family_draws_again_all_that_is_drawn(build):
    net = build(0)
    again = dict(same_family(net, seed=3).named_parameters())
    shaken = {name: p for name, p in net.named_parameters() if p.std() > 0}  # not those set to 0 or 1
    assert shaken and not any(torch.equal(p, again[name]) for name, p in shaken.items())


@networks
def test_nothing_shown_to_a_hook_is_overwritten(build):
    net = build()
    seen = []
    for module in selected(net).values():
        module.register_forward_hook(lambda m, args, y: seen.append((y, y.detach().clone())))
    net(IMAGES)
    assert len(seen) == len(selected(net)) and all(torch.equal(y, copy) for y, copy in seen)


# ResNet-50 and the Deep ConvNet

def test_the_small_resnet_keeps_its_weights():
    """A snapshot: records of runs rest on what a seed draws, which an option's extra draw would change."""
    net = ResNet(channels=1, width=4, seed=3)
    first = [layer.weight.flatten()[0].item() for layer in (net.conv1, net.layer2[0].downsample[0], net.fc)]
    assert first == pytest.approx([0.0195786, -0.6299270, 0.0537758], rel=1e-4)


def test_deep_convnet_is_resnet50_without_what_serves_skips():
    options = {"stem": "imagenet", "outputs": 1000, **DEEP}
    net = ResNet(**options, skips=False, init="default")
    shortcuts = sum(p * q + 2 * q for p, q in ((64, 256), (256, 512), (512, 1024), (1024, 2048)))
    assert parameters(net) == SIZES["resnet50"] - shortcuts == 22_780_456
    assert not any("downsample" in name for name in net.state_dict())
    for kind in (nn.BatchNorm2d, nn.Conv2d):
        assert sum(isinstance(m, kind) for m in net.modules()) == 49


@pytest.mark.parametrize(("options", "count"), [({}, 21), (DEEP, 54), ({**DEEP, "skips": False}, 50)],
                         ids=["resnet18", "resnet50", "convnet"])
def test_layers_to_align_are_as_many_as_in_the_paper(options, count):
    *layers, logits = selected(ResNet(width=2, stem="imagenet", **options))
    assert len(layers) == count and layers[-1] == "avgpool" and logits == "fc"


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_shapes_are_the_same_with_and_without_skips(block):
    x = torch.zeros(2, 3, 64, 64)
    seen = []
    for skips in (True, False):
        net = ResNet(width=2, stem="imagenet", block=block, skips=skips)
        stages = {f"layer{i}": getattr(net, f"layer{i}") for i in (1, 2, 3, 4)}
        seen.append([tuple(y.shape) for y in capture(net, x, modules=stages).values()])
    wide = 4 if block == "bottleneck" else 1
    assert seen[0] == seen[1] == [(2, wide * 2 * 2**i, 16 // 2**i, 16 // 2**i) for i in range(4)]


@pytest.mark.parametrize(("init", "fan", "variance"), [("he", 32, 2.0), ("default", 64, 1 / 3)])
def test_init_has_the_variance_of_its_name(init, fan, variance):
    """Variance times fan: 2 by fan-out for He, 1/3 by fan-in for torch's uniform draw.

    On the 1x1 convolution from 64 channels to 32.
    """
    nets = [ResNet(width=16, block="bottleneck", blocks=(1, 1), init=init, seed=seed) for seed in range(9)]
    weight = torch.stack([net.layer2[0].conv1.weight for net in nets])
    assert weight.shape[1:] == (32, 64, 1, 1)
    assert weight.var().item() * fan == pytest.approx(variance, rel=5 * (2 / weight.numel()) ** 0.5)


@pytest.mark.parametrize(("option", "value", "known"), [
    ("block", "dense", ["basic", "bottleneck"]), ("stem", "tiny", ["small", "imagenet"]),
    ("init", "xavier", ["he", "default"]), ("blocks", (), ["1 or more"]), ("blocks", (2, 0), ["1 or more"])])
def test_resnet_refuses_what_it_does_not_know(option, value, known):
    with pytest.raises(ValueError, match=option) as error:
        ResNet(width=2, **{option: value})
    assert str(value) in str(error.value) and all(word in str(error.value) for word in known)


# ViT

def test_vit_parameters_by_closed_form():
    (c, h, w), patch, width, depth, mlp, outputs = (2, 6, 9), 3, 12, 3, 7, 4
    attention = 3 * (width + 1) * width + (width + 1) * width
    block = 2 * 2 * width + attention + (width + 1) * mlp + (mlp + 1) * width
    tokens = (c * patch**2 + 1) * width + width + (1 + 2 * 3) * width
    head = 2 * width + (width + 1) * outputs
    net = ViT(inputs=(c, h, w), outputs=outputs, patch=patch, width=width, depth=depth, heads=3, mlp=mlp)
    assert parameters(net) == tokens + depth * block + head


def test_vit_can_be_aligned_at_every_weight_matrix():
    net = BUILD["vit"]()
    blocks = [f"blocks.{i}.{name}" for i in range(2) for name in ("qkv", "out", "up", "down")]
    assert list(selected(net)) == ["embed", *blocks, "head"]
    outputs = capture(net, IMAGES)
    assert outputs["embed"].shape == (6, 16, 16)  # 16 patches
    assert outputs["blocks.1.qkv"].shape == (6, 17, 48)  # and the class token


def test_vit_reads_square_patches_row_by_row():
    net = ViT(inputs=(2, 4, 6), patch=2, width=4, heads=1)
    seen = []
    net.embed.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    x = torch.arange(48.0).view(1, 2, 4, 6)
    net(x)
    (patches,) = seen
    assert patches.shape == (1, 6, 8)
    assert torch.equal(patches[0, 4], x[0, :, 2:4, 2:4].flatten())  # second row, second column


def test_vit_answers_from_the_class_token_and_knows_places():
    net = BUILD["vit"]()
    flipped = IMAGES.view(6, 1, 4, 2, 8).flip(2).reshape(IMAGES.shape)  # rows of patches in the reverse order
    assert not torch.allclose(net(IMAGES), net(flipped), atol=1e-5)
    with torch.no_grad():
        net.position.zero_()
    torch.testing.assert_close(net(IMAGES), net(flipped))  # without positions, a bag of patches


def test_vit_init_is_torchvisions():
    net = ViT(inputs=(3, 32, 32), patch=4, width=96, depth=1)
    block = net.blocks[0]
    wanted = [(net.embed, 1 / 48), (block.qkv, 2 / (4 * 96)), (block.up, 2 / (5 * 96)),
              (block.down, 2 / (5 * 96)), (block.out, 1 / (3 * 96))]
    for linear, variance in wanted:
        standard_error = (2 / linear.weight.numel()) ** 0.5
        assert linear.weight.var().item() == pytest.approx(variance, rel=5 * standard_error)
        assert not linear.bias.any()
    assert not net.class_token.any()
    assert net.position.std().item() == pytest.approx(0.02, rel=5 * (0.5 / net.position.numel()) ** 0.5)


def test_vit_dropout_works_where_torchvisions_does_and_in_training_alone():
    net = BUILD["vit-dropout"]()
    dropped = []
    for module in (net.dropout, net.blocks[0].dropout):
        module.register_forward_hook(lambda m, args, y: dropped.append((m.p, y.shape[-1])))
    net(IMAGES)
    # Tokens, attention, inside the feed-forward net and after it.
    assert dropped == [(0.2, 16), (0.2, 16), (0.2, 5), (0.2, 16)]
    with seeded(0):
        assert not torch.equal(net(IMAGES), net(IMAGES))
    net.eval()
    assert torch.equal(net(IMAGES), net(IMAGES))


@pytest.mark.parametrize(("options", "words"), [
    ({"inputs": (1, 8, 9), "patch": 2}, r"\(1, 8, 9\).*patch=2"), ({"inputs": (8, 8)}, r"\(8, 8\)"),
    ({"patch": 0}, "patch=0"), ({"width": 10, "heads": 4}, "width=10 and heads=4"),
    ({"heads": 0}, "heads=0")])
def test_vit_refuses_sizes_that_do_not_fit(options, words):
    with pytest.raises(ValueError, match=words):
        ViT(**options)


def test_vit_refuses_images_of_another_shape():
    message = r"\(n, 1, 8, 8\), received \(2, 3, 8, 8\): build it with inputs=\(3, 8, 8\)"
    with pytest.raises(ValueError, match=message):
        BUILD["vit"]()(torch.zeros(2, 3, 8, 8))


# As guides

@pytest.mark.parametrize("guide", [BUILD["vit"], BUILD["resnet50"]], ids=["vit", "resnet50"])
def test_a_step_towards_it_on_digits(guide):
    target = FCN(inputs=64, outputs=10, depth=4, width=32)
    guide = guide(1)
    before = {name: t.clone() for name, t in guide.state_dict().items()}
    x, y = digits(train=64).train
    optimizer = torch.optim.SGD(target.parameters(), lr=0.05)
    losses = []
    with gl.guide(target, guide) as g:
        for _ in range(2):
            task = F.cross_entropy(target(x), y)
            misalignment = g.loss()
            losses.append(misalignment.item())
            optimizer.zero_grad()
            (task + misalignment).backward()
            optimizer.step()
        assert len(g.misalignments()) == len(selected(guide)) - 1  # every guide layer but the logits
    assert 0 < losses[1] < losses[0]
    assert all(torch.equal(t, before[name]) for name, t in guide.state_dict().items())
