"""The shape of a model: what decides how many bytes it takes and how it can be cut.

One struct for every family. A model is a tuple of layers; a layer is a mixer (attention of some kind, a state space,
or none) and a feed-forward part (dense, experts, or none). What reads a checkpoint or the packaged table builds a
`Shape`; everything else in `fit` computes from it. Numbers are element counts, never bytes, unless the name says so.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Attention(Struct, frozen=True, kw_only=True, tag="attention"):
    """Standard attention: multi-head, grouped-query or multi-query, with or without a window.

    `heads * head_dim` need not be the hidden size. With `gated` the query projection also makes a gate and is twice
    as wide (Qwen3-Next, Qwen3.5).
    """

    heads: int
    kv_heads: int
    head_dim: int
    window: int | None = None  # tokens that the layer looks back (sliding) or that a chunk has; None: the whole context
    chunked: bool = False  # the window is a chunk (Llama 4), not a slide
    qkv_bias: bool = False
    out_bias: bool = False
    qk_norm: Literal["none", "head", "full"] = "none"  # a norm over one head's width, or over all heads
    gated: bool = False
    sinks: bool = False  # one learnt logit a head (gpt-oss)
    key_is_value: bool = False  # one projection serves as both (Gemma 4's global layers)
    borrows_kv: bool = False  # uses the cache of an earlier layer and has none (Gemma 3n, Gemma 4 small)
    cross: bool = False  # attends to the image (Llama 3.2 Vision): its cache does not grow with the text
    value_dim: int | None = None  # of one head, where it is not `head_dim` (MiMo V2)
    index_heads: int = 0  # a sparse indexer beside the attention (MiniMax M3); 0: none
    index_dim: int = 0


class LatentAttention(Struct, frozen=True, kw_only=True, tag="latent"):
    """Multi-head latent attention (DeepSeek V2/V3, Kimi K2): the cache is one latent a token, the same on each rank."""

    heads: int
    kv_rank: int
    nope_dim: int
    rope_dim: int
    value_dim: int
    q_rank: int | None = None  # None: the query is projected directly (V2-Lite)
    index_heads: int = 0  # the sparse indexer of DeepSeek V3.2 and GLM 5; 0: none
    index_dim: int = 0


class CompressedAttention(Struct, frozen=True, kw_only=True, tag="compressed"):
    """DeepSeek V4: one entry of `head_dim` for `ratio` tokens, beside a window of plain ones; grouped output."""

    heads: int
    head_dim: int
    q_rank: int
    o_groups: int
    o_rank: int
    window: int
    ratio: int  # tokens in one cache entry: 4 or 128; 0: nothing but the window
    index_heads: int = 0  # only where ratio is 4
    index_dim: int = 0


class LinearAttention(Struct, frozen=True, kw_only=True, tag="linear"):
    """Gated delta net and its kin (Qwen3-Next, Qwen3.5): a state of fixed size instead of a cache."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv_kernel: int = 4  # 0: none (lightning attention)


class StateSpace(Struct, frozen=True, kw_only=True, tag="ssm"):
    """Mamba 2 (Nemotron-H, Granite 4, Falcon-H1): a state of fixed size instead of a cache."""

    heads: int
    head_dim: int
    state_dim: int
    groups: int = 1
    conv_kernel: int = 4


Mixer = Attention | LatentAttention | CompressedAttention | LinearAttention | StateSpace


class Dense(Struct, frozen=True, kw_only=True, tag="dense"):
    """A feed-forward part. `gated`: gate, up and down; otherwise up and down."""

    width: int
    gated: bool = True
    bias: bool = False


class Experts(Struct, frozen=True, kw_only=True, tag="experts"):
    """A mixture of experts; `width` is that of one expert, `shared_width` of all shared ones together (0: none)."""

    count: int
    active: int
    width: int
    shared_width: int = 0
    shared_gate: bool = False  # one logit that scales the shared expert (Qwen2-MoE, Qwen3-Next)
    gated: bool = True
    bias: bool = False
    router_bias: bool = False
    dense_width: int = 0  # a dense part beside the experts (Gemma 4 26B-A4B); 0: none
    latent: int | None = None  # experts work on a projection of this width (Nemotron 3); None: on the hidden state


FeedForward = Dense | Experts


class Layer(Struct, frozen=True, kw_only=True):
    """One layer. Parallel attention and feed-forward (Cohere, Falcon, Phi-2) differ only in `norms`."""

    mixer: Mixer | None = None
    feed_forward: FeedForward | None = None
    norms: int = 2  # vectors of hidden size: 2 in most families, 4 in Gemma 2 and 3, 1 with parallel blocks
    norm_bias: bool = False  # layer norms have a bias of the same size


class Tower(Struct, frozen=True, kw_only=True):
    """A vision (or audio) encoder with its projector. Engines shard or replicate it; `parameters` is all of it."""

    parameters: int
    heads: int = 0  # 0: not known; a tower whose heads do not divide is replicated
    kind: Literal["vision", "audio"] = "vision"
    projector_parameters: int = 0  # part of `parameters` that engines mostly replicate


TensorClass = Literal[
    "embedding",  # token embeddings: cut by vocabulary
    "lm_head",  # absent where tied
    "query",
    "key_value",  # whole heads; copied where there are fewer heads than ranks
    "attention_out",
    "latent_down",  # the low-rank projections into the latents of MLA: on every rank
    "latent_up",
    "indexer",  # on every rank
    "mixer_state",  # projections of linear attention and state spaces: cut by heads
    "mlp",
    "router",  # on every rank
    "experts",  # cut by width (TP) or whole experts (EP)
    "shared_experts",
    "norm",  # norms, biases of rows, rotary tables and other small things: on every rank
    "vision",
    "mtp",  # layers for multi-token prediction: loaded only with speculative decoding
]


class Stored(Struct, frozen=True, kw_only=True):
    """Bytes of one class of tensors as a checkpoint's headers give them. `layer` is None outside of the layers.

    `sixteen_bit_bytes` is the part of `bytes` that engines load in a type of their own choice (fp16, bf16, fp32 in the
    file), counted at two bytes an element; the rest stays as it is stored.
    """

    tensor_class: TensorClass
    bytes: int
    layer: int | None = None
    sixteen_bit_bytes: int = 0


class Packing(Struct, frozen=True, kw_only=True):
    """How weights are stored: the part of a quantisation config that decides bytes and legal sizes.

    `method` is a name that `--quant` takes: fp8, int8, awq, gptq-4bit, gptq-8bit, bnb-nf4, bnb-int8, mxfp4, nvfp4,
    int4 (compressed-tensors), exl2:BPW, exl3:BPW, gguf:TYPE. Plain floats have no packing at all.
    """

    method: str
    group_size: int | None = None  # None: the method's usual one; -1: one group a row
    block_size: int | None = None  # FP8 in blocks of so many rows and columns; None: one scale a tensor or row
    act_order: bool = False  # GPTQ with desc_act: an index for each input row
    kept: frozenset[TensorClass] = frozenset()  # classes that stay 16-bit besides embeddings, norms and router
    kept_layers: frozenset[int] = frozenset()  # layers that stay 16-bit as a whole
    experts_method: str = ""  # of the routed experts, where they differ: DeepSeek V4 is FP8 with MXFP4 experts
    lm_head_packed: bool = False
    zero_points: bool = True  # asymmetric (AWQ, most GPTQ kernels store them even where symmetric)


class Shape(Struct, frozen=True, kw_only=True):
    """One model.

    `packing` is how the checkpoint itself is stored, None for plain floats of `dtype_bytes`. `stored` are sizes from
    the headers of the checkpoint; empty where only the shape is known, and then the formulas stand in.
    """

    id: str
    source: str  # where the shape comes from, with the table's own source
    hidden: int
    vocab: int
    layers: tuple[Layer, ...]
    tied: bool = False  # the output projection is the embedding
    lm_head_bias: bool = False
    dtype_bytes: float = 2.0  # of plain weights in the checkpoint
    max_positions: int | None = None
    rope_dim: int | None = None  # width of the rotary table; None: the head's
    learned_positions: int = 0  # rows of a position embedding (GPT-2, OPT)
    embedding_norm: bool = False  # a norm after the embedding (BLOOM)
    tower: Tower | None = None
    mtp_layers: int = 0
    mtp_parameters: int = 0
    extra_parameters: int = 0  # counted, but in no class above; on every rank (per-layer embeddings of Gemma 3n ...)
    packing: Packing | None = None
    stored: tuple[Stored, ...] = ()
    parameters_reported: int | None = None  # by whoever published it; checks the formulas
    assumptions: tuple[str, ...] = ()  # what was assumed, in words for the user
    family: str = ""  # model_type of the configuration
    tokens_per_image: int | None = None

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)
