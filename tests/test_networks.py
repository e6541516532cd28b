"""Networks: sizes by closed form, outputs by hand, weights from a seed, no stream touched."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import selected
from guidelib.guidance.controls import same_family
from guidelib.networks import FCN, ResNet, RowTransformer
from guidelib.networks.seeding import seeded

IMAGES = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
SMALL = {"inputs": 64, "outputs": 10, "depth": 3, "width": 16}
BUILD = {
    "fcn": lambda seed=0: FCN(**SMALL, dropout=0.1, seed=seed),
    "fcn-he": lambda seed=0: FCN(**SMALL, init="he", norm="layer", seed=seed),
    "fcn-orthogonal": lambda seed=0: FCN(**SMALL, init="orthogonal", norm=None, residual=True, seed=seed),
    "resnet": lambda seed=0: ResNet(channels=1, outputs=10, width=4, seed=seed),
    "transformer": lambda seed=0: RowTransformer(inputs=(1, 8, 8), depth=2, width=16, heads=2, seed=seed),
}
networks = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def weights(net):
    return {name: p.detach().clone() for name, p in net.named_parameters()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


# What all networks promise

@networks
def test_output_has_a_row_an_example(build):
    assert build()(IMAGES).shape == (6, 10)


@networks
def test_a_seed_fixes_the_weights(build):
    assert same(weights(build(3)), weights(build(3)))
    assert not same(weights(build(3)), weights(build(4)))


@networks
def test_building_leaves_the_global_stream_alone(build):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    build(5)
    assert torch.equal(torch.rand(3), expected)


@networks
def test_the_callers_stream_does_not_matter(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = weights(build(5))
        torch.manual_seed(2)
        assert same(first, weights(build(5)))


@networks
def test_reset_draws_all_again_from_the_global_stream(build):
    """What a network was before leaves no trace, in parameters or in running statistics."""
    fresh, used = build(0), build(1)
    with torch.no_grad():
        for tensor in (*used.parameters(), *used.buffers()):
            tensor.fill_(7)
    for net in (fresh, used):
        with seeded(3):
            net.reset_parameters()
    assert same(fresh.state_dict(), used.state_dict())
    assert not same(weights(used), weights(build(1)))


@networks
def test_same_family_can_draw_it_again(build):
    net = build(0)
    again = same_family(net, seed=3)
    drawn = [name for name, p in net.named_parameters() if p.std() > 0]  # the others are set to 0 or 1
    assert drawn and all(not torch.equal(weights(net)[name], weights(again)[name]) for name in drawn)


@networks
def test_every_weight_gets_a_gradient(build):
    net = build()
    F.cross_entropy(net(IMAGES), torch.arange(6)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@networks
def test_examples_do_not_mix_in_eval(build):
    net = build().eval()
    torch.testing.assert_close(net(IMAGES)[:2], net(IMAGES[:2]))


def test_seeding_touches_no_other_device(monkeypatch):
    """torch.manual_seed would seed every GPU too, which fork_rng(devices=[]) does not undo."""
    seeded_devices = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded_devices.append)
    FCN(inputs=2, outputs=2, depth=1, width=2, seed=5)
    assert seeded_devices == []


def test_training_and_looking_seed_no_other_device(monkeypatch):
    """Nor does what draws from a seed for a while: dropout, warm-ups, looks at a net."""
    monkeypatch.setattr(torch, "manual_seed", lambda seed: pytest.fail("it seeds every device there is"))
    net = FCN(inputs=64, outputs=10, depth=1, width=4, dropout=0.5)
    before = torch.get_rng_state()
    task = gl.tasks.digits(train=40, validation=20)
    gl.training.train(net, task, epochs=1, batch_size=20)
    gl.warm_up(net, FCN(inputs=64, outputs=10, depth=1, width=4, seed=1), sample=task.train[0][:8], steps=2)
    assert torch.equal(before, torch.get_rng_state())


def test_weights_are_made_on_the_cpu_whatever_the_default_device():
    with torch.device("meta"):
        net = FCN(inputs=2, outputs=2, depth=1, width=2, seed=5)
    assert net.head.weight.device.type == "cpu"


# FCN

def test_fcn_parameters_by_closed_form():
    inputs, outputs, depth, width = 7, 3, 5, 11
    linears = inputs * width + width + (depth - 1) * (width * width + width)
    norms = depth * 2 * width
    head = width * outputs + outputs
    net = FCN(inputs=inputs, outputs=outputs, depth=depth, width=width)
    assert parameters(net) == linears + norms + head


def test_fcn_is_that_of_the_released_code():
    """48 hidden layers, as guided in the published runs; the last Linear gives the logits."""
    net = FCN(inputs=12, outputs=10, depth=48, width=4)
    assert len(selected(net)) == 49 and list(selected(net))[-1] == "head"


def test_fcn_forward_by_hand():
    net = FCN(inputs=64, outputs=10, depth=2, width=16, dropout=0.5, residual=True).eval()
    x = IMAGES.flatten(1)
    first, second = net.blocks
    with torch.no_grad():
        for norm in (first.norm, second.norm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)

    def block(b, x):
        y = x @ b.linear.weight.T + b.linear.bias
        y = (y - b.norm.running_mean) / (b.norm.running_var + b.norm.eps).sqrt()
        return y.clamp(min=0)

    h = block(first, x)  # no skip here: 64 inputs, 16 units
    h = h + block(second, h)
    torch.testing.assert_close(net(IMAGES), h @ net.head.weight.T + net.head.bias)
    plain = FCN(inputs=64, outputs=10, depth=2, width=16, dropout=0.5).eval()
    plain.load_state_dict(net.state_dict())
    assert not torch.allclose(net(IMAGES), plain(IMAGES))


@pytest.mark.parametrize(("norm", "kind"), [
    ("batch", nn.BatchNorm1d), ("layer", nn.LayerNorm), (None, nn.Identity)])
def test_fcn_norm(norm, kind):
    net = FCN(inputs=4, outputs=2, depth=3, width=5, norm=norm)
    assert all(type(block.norm) is kind for block in net.blocks)


def test_fcn_dropout_zeroes_that_share_in_training_alone():
    net = FCN(inputs=64, outputs=10, depth=1, width=4000, norm=None, dropout=0.25)
    with seeded(0):
        dropped = net.blocks[0].dropout(torch.ones(1, 40000))
    share = (dropped == 0).float().mean().item()
    assert share == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 40000) ** 0.5)
    net.eval()
    assert torch.equal(net(IMAGES), net(IMAGES))


@pytest.mark.parametrize(("init", "variance"), [("default", 1 / 3), ("he", 2.0)])
def test_fcn_init_has_the_variance_of_its_name(init, variance):
    """Variance times inputs: 1/3 for torch's uniform draw, 2 for He."""
    weight = FCN(inputs=200, outputs=2, depth=1, width=500, init=init).blocks[0].linear.weight
    standard_error = (2 / weight.numel()) ** 0.5  # of a normal variance; a uniform one's is smaller
    assert weight.var().item() * 200 == pytest.approx(variance, rel=5 * standard_error)


def test_looks_linear_is_linear_until_it_is_trained():
    """Balduzzi et al. 2017: without a norm the mirrored halves add up to a product of orthogonal matrices."""
    net = FCN(inputs=30, outputs=2, depth=6, width=40, norm=None, init="looks-linear")
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 5, 30, generator=generator)

    def hidden(x):
        for block in net.blocks:
            x = block(x)
        positive, negative = x.chunk(2, dim=1)
        return positive - negative  # (n, 20)

    torch.testing.assert_close(hidden(x + 2 * y), hidden(x) + 2 * hidden(y), atol=1e-5, rtol=0)
    block = FCN(inputs=30, outputs=2, depth=1, width=40, norm=None).blocks[0]
    assert not torch.allclose(block(x + 2 * y), block(x) + 2 * block(y), atol=1e-2)
    with pytest.raises(ValueError, match="received width=41"):
        FCN(inputs=30, outputs=2, depth=2, width=41, init="looks-linear")


def test_fcn_orthogonal_keeps_all_lengths_up_to_the_gain():
    weight = FCN(inputs=30, outputs=2, depth=2, width=30, init="orthogonal").blocks[1].linear.weight
    torch.testing.assert_close(weight @ weight.T, 2 * torch.eye(30), atol=1e-5, rtol=0)


@pytest.mark.parametrize("options", [{"norm": "group"}, {"init": "xavier"}])
def test_fcn_refuses_an_unknown_name_and_lists_the_known(options):
    (name, value), = options.items()
    inits = ["default", "he", "orthogonal", "looks-linear"]
    known = {"norm": ["batch", "layer", "None"], "init": inits}[name]
    with pytest.raises(ValueError, match=value) as error:
        FCN(inputs=4, outputs=2, **options)
    assert name in str(error.value) and all(choice in str(error.value) for choice in known)


# ResNet

def resnet_parameters(channels, outputs, width):
    """Convolutions 9 p q, 1x1 shortcuts p q, normalisation 2 q for each of them, and the classifier."""
    total = 9 * channels * width + 2 * width
    p = width
    for q in (width, 2 * width, 4 * width, 8 * width):
        total += 9 * p * q + 2 * q + 3 * (9 * q * q + 2 * q)
        if p != q:
            total += p * q + 2 * q
        p = q
    return total + p * outputs + outputs


def test_resnet18_parameters():
    net = ResNet(channels=3, outputs=10, width=64)
    assert parameters(net) == resnet_parameters(3, 10, 64) == 11_173_962
    assert sum(isinstance(m, nn.Conv2d) for m in net.modules()) == 20


@pytest.mark.parametrize("width", [4, 9])
def test_resnet_parameters_at_other_widths(width):
    assert parameters(ResNet(channels=1, outputs=7, width=width)) == resnet_parameters(1, 7, width)


def test_resnet_layers_carry_torchvisions_names():
    names = list(selected(ResNet(width=4)))
    convs = []
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            convs += [f"layer{stage}.{block}.conv1", f"layer{stage}.{block}.conv2"]
            if stage > 1 and block == 0:
                convs.append(f"layer{stage}.{block}.downsample.0")
    assert names == ["conv1", *convs, "avgpool", "fc"]
    assert len(names) - 1 == 21  # without the logits: the paper's 21 layers


def test_resnet_shapes_halve_after_the_first_stage():
    net = ResNet(channels=3, width=4)
    stages = {stage: getattr(net, f"layer{stage}") for stage in range(1, 5)}
    outputs = capture(net, torch.zeros(2, 3, 32, 32), modules=stages)
    shapes = [tuple(y.shape) for y in outputs.values()]
    assert shapes == [(2, 4, 32, 32), (2, 8, 16, 16), (2, 16, 8, 8), (2, 32, 4, 4)]


def test_resnet_block_by_hand():
    block = ResNet(channels=1, width=4).eval().layer2[0]
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    scale = (1 + block.bn1.eps) ** -0.5  # a fresh normalisation in eval does no more
    y = scale * F.conv2d(x, block.conv1.weight, stride=2, padding=1)
    y = scale * F.conv2d(y.clamp(min=0), block.conv2.weight, padding=1)
    skip = scale * F.conv2d(x, block.downsample[0].weight, stride=2)
    torch.testing.assert_close(block(x), (y + skip).clamp(min=0))


def test_resnet_convolutions_are_he_normal_by_fan_out():
    weight = ResNet(channels=3, width=32).layer2[0].conv1.weight  # 32 channels to 64
    assert weight.var().item() * 64 * 9 == pytest.approx(2.0, rel=5 * (2 / weight.numel()) ** 0.5)


def test_resnet_overwrites_nothing_it_has_shown():
    """An in-place ReLU would change what a hook saw before it."""
    net = ResNet(channels=1, width=4)
    seen = []
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.BatchNorm2d)):
            module.register_forward_hook(lambda m, args, y: seen.append((y, y.detach().clone())))
    net(IMAGES)
    assert seen and all(torch.equal(y, copy) for y, copy in seen)


def test_resnet_other_layouts():
    net = ResNet(channels=1, outputs=3, width=4, blocks=(1, 2))
    assert net(IMAGES).shape == (6, 3)
    assert sum(isinstance(m, nn.Conv2d) for m in net.modules()) == 8


# RowTransformer

def test_transformer_parameters_by_closed_form():
    c, h, w, width, depth, outputs = 2, 5, 7, 12, 3, 4
    attention = (3 * width * width + 3 * width) + (width * width + width)
    block = 2 * 2 * width + attention + (8 * width * width + 5 * width)
    expected = (c * w * width + width) + h * width + depth * block + 2 * width + (width * outputs + outputs)
    net = RowTransformer(inputs=(c, h, w), outputs=outputs, depth=depth, width=width, heads=3)
    assert parameters(net) == expected


def test_transformer_can_be_aligned_at_every_weight_matrix():
    blocks = [f"blocks.{i}.{name}" for i in range(2) for name in ("qkv", "out", "up", "down")]
    expected = ["embed", *blocks, "head"]
    assert list(selected(BUILD["transformer"]())) == expected


def test_transformer_attention_by_hand():
    block = BUILD["transformer"]().blocks[0]
    x = torch.randn(2, 8, 16, generator=torch.Generator().manual_seed(0))
    q, k, v = F.linear(F.layer_norm(x, (16,)), block.qkv.weight, block.qkv.bias).split(16, dim=2)
    heads = []
    for part in (slice(0, 8), slice(8, 16)):  # two heads of width 8
        scores = q[..., part] @ k[..., part].transpose(1, 2) / 8**0.5
        heads.append(scores.softmax(-1) @ v[..., part])
    y = x + block.out(torch.cat(heads, 2))
    y = y + block.down(F.gelu(block.up(F.layer_norm(y, (16,)))))
    torch.testing.assert_close(block(x), y)


def test_transformer_reads_rows_and_knows_their_order():
    net = BUILD["transformer"]()
    seen = []
    net.embed.register_forward_pre_hook(lambda m, args: seen.append(args[0]))
    out = net(IMAGES)
    assert torch.equal(seen[0], IMAGES[:, 0])  # one channel: token t is row t
    assert not torch.allclose(out, net(IMAGES.flip(2)), atol=1e-4)
    with torch.no_grad():
        net.position.zero_()
    torch.testing.assert_close(net(IMAGES), net(IMAGES.flip(2)))  # without positions, a bag of rows


def test_transformer_refuses_heads_that_do_not_divide_its_width():
    with pytest.raises(ValueError, match=r"width=10.*heads=4"):
        RowTransformer(inputs=(1, 8, 8), width=10, heads=4)
