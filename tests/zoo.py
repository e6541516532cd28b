"""A zoo of small random networks in the architectures of Hugging Face transformers; run it for its table.

    python tests/zoo.py [--out FILE] [NAME ...]

Nothing is downloaded: every network is built from its configuration. There are n = 8 examples and T = 16
tokens, on purpose a multiple of n, and widths are such multiples too: a layer read along another axis than
that of the examples does not show by its sizes.
"""

import argparse
import functools
from dataclasses import dataclass

import torch

N, T, VOCABULARY = 8, 16, 50
WHY = "the extra `zoo` is not installed: pip install -e '.[zoo]'"


@dataclass(frozen=True)
class Row:
    """An architecture: the name of its model class, the options of its configuration, and its sample."""

    kind: str
    model: str
    sample: object
    options: dict

    def build(self, seed=0):
        """(model, sample as a dict of keywords), the same for the same seed."""
        import transformers

        torch.manual_seed(seed)
        model = getattr(transformers, self.model)
        return model(model.config_class(**self.options)), self.sample(torch.Generator().manual_seed(seed))


# Samples


def ids(generator, length=T):
    return torch.randint(5, VOCABULARY, (N, length), generator=generator)  # 0 to 4 are special tokens


def text(generator, name="input_ids"):
    """Token ids of which the last places of some examples are padding."""
    mask = torch.ones(N, T, dtype=torch.long)
    for i in range(N):
        mask[i, T - i % 4:] = 0
    return {name: ids(generator), "attention_mask": mask}


def unpadded(generator, length=T):
    return {"input_ids": ids(generator, length)}


def square(generator):
    """As many tokens as examples, so that sizes tell nothing at all."""
    return unpadded(generator, N)


def two_texts(generator):
    """What is read and what is written so far, of unlike lengths."""
    return text(generator) | {"decoder_input_ids": ids(generator, N)}


def real(name, *shape):
    """A sample of one real tensor (n, *shape)."""
    return functools.partial(_real, name, shape)


def _real(name, shape, generator):
    return {name: torch.randn(N, *shape, generator=generator)}


def images_and_texts(generator):
    return text(generator) | image(generator)


def heard_and_written(generator):
    """A spectrogram and what is written so far."""
    return real("input_features", 16, 32)(generator) | {"decoder_input_ids": ids(generator, N)}


def series(generator):
    """A past series with the features of its time, and those of the future."""
    draw = functools.partial(torch.randn, generator=generator)
    return {"past_values": draw(N, 24), "past_time_features": draw(N, 24, 2),
            "past_observed_mask": torch.ones(N, 24), "future_values": draw(N, 8),
            "future_time_features": draw(N, 8, 2)}


image = real("pixel_values", 3, 32, 32)
video = real("pixel_values", 4, 3, 16, 16)
wave = real("input_values", 800)

# Options that many configurations share

WORDS = {"vocab_size": VOCABULARY}
STACK = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
ENCODER = WORDS | STACK | {"max_position_embeddings": 40}
LLAMA = ENCODER | {"num_key_value_heads": 1, "head_dim": 16, "pad_token_id": 0}
TWO = WORDS | {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
               "decoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
BART = TWO | {"max_position_embeddings": 40, "pad_token_id": 1}
EYE = STACK | {"image_size": 32, "patch_size": 8}
EAR = WORDS | STACK | {"conv_dim": (16, 16), "conv_stride": (5, 8), "conv_kernel": (10, 8),
                       "num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16,
                       "num_conv_pos_embedding_groups": 2, "classifier_proj_size": 16,
                       "mask_time_prob": 0.0}  # masks in training need longer sounds
CLIP_TEXT = ENCODER | {"projection_dim": 16, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
CLIP_EYE = EYE | {"projection_dim": 16}
STAGES = {"depths": [1, 1], "hidden_sizes": [16, 32], "num_stages": 2}
# In an untrained network BatchNorm does nothing in eval: default weights are so small that activations fade.
MOBILE = {"image_size": 32, "depth_multiplier": 0.25, "finegrained_output": False}
WINDOWS = {"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [2, 1], "num_heads": [2, 2],
           "window_size": 4}

TEXT, DECODER, EXPERTS, STATE, TWO_SIDES, VISION, SPEECH, MIXED, SERIES = KINDS = (
    "text encoder", "decoder", "mixture of experts", "state space, recurrent", "encoder-decoder", "vision",
    "speech", "multimodal", "time series")
ROWS = {
    "BERT": Row(TEXT, "BertForSequenceClassification", text, ENCODER),
    "RoBERTa": Row(TEXT, "RobertaForSequenceClassification", text, ENCODER),
    "DistilBERT": Row(TEXT, "DistilBertForSequenceClassification", text, WORDS | {
        "dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 40}),
    "ALBERT": Row(TEXT, "AlbertForSequenceClassification", text, ENCODER | {"embedding_size": 16}),
    "ELECTRA": Row(TEXT, "ElectraForSequenceClassification", text, ENCODER | {"embedding_size": 16}),
    "DeBERTa-v2": Row(TEXT, "DebertaV2ForSequenceClassification", text, ENCODER | {
        "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 8}),
    "DeBERTa-v2, shared key": Row(TEXT, "DebertaV2ForSequenceClassification", text, ENCODER | {
        "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_buckets": 8,
        "share_att_key": True, "conv_kernel_size": 3}),
    "MPNet": Row(TEXT, "MPNetForSequenceClassification", text, ENCODER),
    "XLNet": Row(TEXT, "XLNetForSequenceClassification", text, WORDS | {
        "d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 48}),
    "XLNet, T = n": Row(TEXT, "XLNetForSequenceClassification", square, WORDS | {
        "d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 48}),
    "Longformer": Row(TEXT, "LongformerForSequenceClassification", text, ENCODER | {"attention_window": 8}),
    "Longformer, T = n": Row(TEXT, "LongformerForSequenceClassification", square, ENCODER | {
        "attention_window": 4}),
    "Funnel": Row(TEXT, "FunnelForSequenceClassification", text, WORDS | {
        "d_model": 32, "d_head": 16, "n_head": 2, "d_inner": 48, "block_sizes": [1, 1]}),
    "BigBird": Row(TEXT, "BigBirdForSequenceClassification", text, ENCODER | {
        "attention_type": "original_full"}),
    "FNet": Row(TEXT, "FNetForSequenceClassification", unpadded, ENCODER),
    "ConvBERT": Row(TEXT, "ConvBertForSequenceClassification", text, ENCODER | {
        "embedding_size": 32, "conv_kernel_size": 3}),
    "SqueezeBERT": Row(TEXT, "SqueezeBertForSequenceClassification", text, ENCODER | {"embedding_size": 32}),
    "GPT-2": Row(DECODER, "GPT2LMHeadModel", text, WORDS | {
        "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 40}),
    "GPT-NeoX": Row(DECODER, "GPTNeoXForCausalLM", text, ENCODER),
    "GPT-J": Row(DECODER, "GPTJForCausalLM", text, WORDS | {
        "n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 40, "rotary_dim": 8}),
    "Llama": Row(DECODER, "LlamaForCausalLM", text, LLAMA),
    "Mistral": Row(DECODER, "MistralForCausalLM", text, LLAMA),
    "Qwen2": Row(DECODER, "Qwen2ForCausalLM", text, LLAMA),
    "Qwen3": Row(DECODER, "Qwen3ForCausalLM", text, LLAMA),
    "Gemma2": Row(DECODER, "Gemma2ForCausalLM", text, LLAMA),
    "OPT": Row(DECODER, "OPTForCausalLM", text, WORDS | {
        "hidden_size": 32, "word_embed_proj_dim": 16, "ffn_dim": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 40}),
    "BLOOM": Row(DECODER, "BloomForCausalLM", text, WORDS | {"hidden_size": 32, "n_layer": 2, "n_head": 2}),
    "Phi": Row(DECODER, "PhiForCausalLM", text, ENCODER),
    "OLMo": Row(DECODER, "OlmoForCausalLM", text, ENCODER | {"pad_token_id": 0}),
    "Falcon": Row(DECODER, "FalconForCausalLM", text, ENCODER),
    "Mixtral": Row(EXPERTS, "MixtralForCausalLM", text, LLAMA | {"num_local_experts": 4}),
    "Qwen2-MoE": Row(EXPERTS, "Qwen2MoeForCausalLM", text, LLAMA | {
        "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16}),
    "Mamba": Row(STATE, "MambaForCausalLM", text, WORDS | {
        "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}),
    "Mamba2": Row(STATE, "Mamba2ForCausalLM", text, WORDS | {
        "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "num_heads": 4, "head_dim": 16,
        "n_groups": 1, "chunk_size": 8}),
    "RWKV": Row(STATE, "RwkvForCausalLM", text, WORDS | {
        "hidden_size": 32, "num_hidden_layers": 2, "context_length": 32,
        "use_cache": False}),
    "RecurrentGemma": Row(STATE, "RecurrentGemmaForCausalLM", text, LLAMA | {
        "lru_width": 32, "attention_window_size": 16, "num_hidden_layers": 3}),
    "T5": Row(TWO_SIDES, "T5ForConditionalGeneration", two_texts, WORDS | {
        "d_model": 32, "d_kv": 16, "d_ff": 48, "num_layers": 2, "num_heads": 2}),
    "BART": Row(TWO_SIDES, "BartForConditionalGeneration", two_texts, BART),
    "Pegasus": Row(TWO_SIDES, "PegasusForConditionalGeneration", two_texts, BART),
    "Marian": Row(TWO_SIDES, "MarianMTModel", two_texts, BART | {"decoder_vocab_size": VOCABULARY}),
    "LED": Row(TWO_SIDES, "LEDForConditionalGeneration", two_texts, TWO | {
        "attention_window": 8, "max_encoder_position_embeddings": 40, "max_decoder_position_embeddings": 40}),
    "ViT": Row(VISION, "ViTForImageClassification", image, EYE),
    "DeiT": Row(VISION, "DeiTForImageClassification", image, EYE),
    "BEiT": Row(VISION, "BeitForImageClassification", image, EYE),
    "DINOv2": Row(VISION, "Dinov2ForImageClassification", image, EYE),
    "Swin": Row(VISION, "SwinForImageClassification", image, WINDOWS),
    "Swin v2": Row(VISION, "Swinv2ForImageClassification", image, WINDOWS),
    "ConvNeXt": Row(VISION, "ConvNextForImageClassification", image, STAGES),
    "ResNet": Row(VISION, "ResNetForImageClassification", image, STAGES | {"embedding_size": 16}),
    "SegFormer": Row(VISION, "SegformerForImageClassification", image, STAGES | {
        "num_encoder_blocks": 2, "num_attention_heads": [2, 2], "sr_ratios": [2, 1], "patch_sizes": [3, 3],
        "strides": [4, 2], "mlp_ratios": [2, 2]}),
    "MobileNetV2": Row(VISION, "MobileNetV2ForImageClassification", image, MOBILE | {
        "initializer_range": 0.2}),
    "MobileNetV2, fading": Row(VISION, "MobileNetV2ForImageClassification", image, MOBILE),
    "MobileViT": Row(VISION, "MobileViTForImageClassification", image, {
        "image_size": 32, "initializer_range": 0.2, "hidden_sizes": [16, 16, 16],
        "neck_hidden_sizes": [8, 8, 16, 16, 16, 16, 32], "num_attention_heads": 2, "output_stride": 8}),
    "ViT-MAE": Row(VISION, "ViTMAEForPreTraining", image, EYE | {
        "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2,
        "decoder_intermediate_size": 16}),
    "PoolFormer": Row(VISION, "PoolFormerForImageClassification", image, {
        "depths": [1, 1], "hidden_sizes": [16, 32], "num_encoder_blocks": 2, "patch_sizes": [7, 3],
        "strides": [4, 2], "padding": [2, 1]}),
    "TimeSformer": Row(VISION, "TimesformerForVideoClassification", video, STACK | {
        "image_size": 16, "patch_size": 4, "num_frames": 4}),
    "Perceiver": Row(VISION, "PerceiverForSequenceClassification",
                     functools.partial(text, name="inputs"), WORDS | {
        "d_model": 32, "d_latents": 32, "num_latents": 16, "num_self_attends_per_block": 2,
        "num_self_attention_heads": 2, "num_cross_attention_heads": 2, "max_position_embeddings": 40}),
    "Wav2Vec2": Row(SPEECH, "Wav2Vec2ForSequenceClassification", wave, EAR),
    "HuBERT": Row(SPEECH, "HubertForSequenceClassification", wave, EAR),
    "WavLM": Row(SPEECH, "WavLMForSequenceClassification", wave, EAR),
    "Whisper": Row(SPEECH, "WhisperForConditionalGeneration", heard_and_written, TWO | {
        "num_mel_bins": 16, "max_source_positions": 16, "max_target_positions": 40, "pad_token_id": 0,
        "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}),
    "AST": Row(SPEECH, "ASTForAudioClassification", real("input_values", 32, 16), STACK | {
        "max_length": 32, "num_mel_bins": 16, "patch_size": 8, "frequency_stride": 8, "time_stride": 8}),
    "CLIP, vision": Row(MIXED, "CLIPVisionModelWithProjection", image, CLIP_EYE),
    "CLIP, text": Row(MIXED, "CLIPTextModelWithProjection", text, CLIP_TEXT),
    "CLIP": Row(MIXED, "CLIPModel", images_and_texts, {
        "text_config": CLIP_TEXT, "vision_config": CLIP_EYE, "projection_dim": 16}),
    "Time series transformer": Row(SERIES, "TimeSeriesTransformerModel", series, {
        "prediction_length": 8, "context_length": 16, "lags_sequence": [1, 8], "num_time_features": 2,
        "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 48,
        "decoder_ffn_dim": 48}),
    "PatchTST": Row(SERIES, "PatchTSTForPrediction", real("past_values", 32, 3), {
        "num_input_channels": 3, "context_length": 32, "patch_length": 4, "patch_stride": 4,
        "prediction_length": 8, "d_model": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "ffn_dim": 48}),
}


def table(names):
    """Markdown: one line an architecture, with the verdict of each role."""
    from zoo_judge import ROLES, judge

    lines = ["| architecture | kind | layers paired | as target | as guide |", "|---|---|---|---|---|"]
    for name in names:
        verdicts = [judge(ROWS[name], role) for role in ROLES]
        paired = verdicts[0].paired or verdicts[1].paired
        lines.append(f"| {name} | {ROWS[name].kind} | {paired} | {verdicts[0]} | {verdicts[1]} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="architectures, all by default")
    parser.add_argument("--out", help="a file for the table")
    options = parser.parse_args()
    found = table(options.names or list(ROWS))
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write(found)


if __name__ == "__main__":
    main()
