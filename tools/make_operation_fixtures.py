#!/usr/bin/env python3
"""Writes what PyTorch computes for fixtune's operations and optimiser: values and gradients, as JSON.

    python3 tools/make_operation_fixtures.py tests/fixtures/operations.json

Needs torch. The learning rate schedule is the formula of transformers' get_linear_schedule_with_warmup.
"""
import json
import sys

import torch
import torch.nn.functional as F

DIGITS = 9  # enough to give an FP32 value back exactly


def rows(tensor):
    tensor = tensor.detach().float()
    tensor = tensor.reshape(1, -1) if tensor.dim() < 2 else tensor
    return [[float(f"{x:.{DIGITS}g}") for x in row] for row in tensor.tolist()]


def leaf(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).requires_grad_()


def gradients(output, weight, inputs):
    """Gradients of sum(output * weight)."""
    return [rows(g) for g in torch.autograd.grad((output * weight).sum(), inputs)]


def layer_norm():
    x, gamma, beta = leaf(5, 19, scale=3.0), leaf(19), leaf(19)
    y = F.layer_norm(x, (19,), gamma, beta, 1e-12)
    weight = torch.randn_like(y)
    return dict(x=rows(x), gamma=rows(gamma), beta=rows(beta), y=rows(y), weight=rows(weight),
                gradients=gradients(y, weight, [x, gamma, beta]))


def activation(function):
    x = torch.cat([torch.linspace(-9, 9, 61), torch.tensor([0.0, 1e-6, -1e-6, 40.0, -40.0])])
    x = x.reshape(1, -1).requires_grad_()
    y = function(x)
    weight = torch.randn_like(y)
    return dict(x=rows(x), y=rows(y), weight=rows(weight), gradients=gradients(y, weight, [x]))


def attention():
    heads, lengths, hidden = 2, [3, 5], 8
    tokens = sum(lengths)
    q, k, v = (leaf(tokens, hidden, scale=1.5) for _ in range(3))
    parts, offsets = [], [0]
    for length in lengths:
        piece = slice(offsets[-1], offsets[-1] + length)
        split = [t[piece].reshape(length, heads, -1).transpose(0, 1) for t in (q, k, v)]
        parts.append(F.scaled_dot_product_attention(*split).transpose(0, 1).reshape(length, hidden))
        offsets.append(offsets[-1] + length)
    y = torch.cat(parts)
    weight = torch.randn_like(y)
    return dict(heads=heads, offsets=offsets, q=rows(q), k=rows(k), v=rows(v), y=rows(y), weight=rows(weight),
                gradients=gradients(y, weight, [q, k, v]))


def cross_entropy():
    logits = leaf(6, 3, scale=4.0)
    labels = [2, 0, -100, 1, 1, -100]
    loss = F.cross_entropy(logits, torch.tensor(labels))
    return dict(logits=rows(logits), labels=labels, loss=loss.item(), gradients=gradients(loss, 1.0, [logits]))


def mean_squared_error():
    predictions, targets = leaf(7, 1, scale=2.0), torch.randn(7)
    loss = F.mse_loss(predictions.squeeze(1), targets)
    return dict(predictions=rows(predictions), targets=rows(targets)[0], loss=loss.item(),
                gradients=gradients(loss, 1.0, [predictions]))


def span_cross_entropy():
    """Start and end of an answer, each a choice among the tokens of its window; no padding."""
    logits, offsets, first, last = leaf(11, 2, scale=4.0), [0, 4, 5, 11], [1, 0, 5], [3, 0, 5]
    chosen = [F.cross_entropy(logits[begin:end, column].unsqueeze(0), torch.tensor([target]))
              for begin, end, targets in zip(offsets, offsets[1:], zip(first, last))
              for column, target in enumerate(targets)]
    loss = torch.stack(chosen).mean()
    return dict(logits=rows(logits), offsets=offsets, first=first, last=last, loss=loss.item(),
                gradients=gradients(loss, 1.0, [logits]))


def adamw():
    parameters = [torch.nn.Parameter(torch.randn(3, 7)), torch.nn.Parameter(torch.randn(1, 5))]
    optimizer = torch.optim.AdamW([dict(params=parameters[:1], weight_decay=0.1),
                                   dict(params=parameters[1:], weight_decay=0.0)],
                                  betas=(0.9, 0.999), eps=1e-8, foreach=False)
    start, steps = [rows(p) for p in parameters], []
    for step in range(5):
        rate = 0.01 * (step + 1)
        for group in optimizer.param_groups:
            group["lr"] = rate
        for p in parameters:
            p.grad = torch.randn_like(p)
        if step == 2:
            parameters[1].grad = None  # skipped, and its step count stands still
        given = [None if p.grad is None else rows(p.grad) for p in parameters]
        optimizer.step()
        steps.append(dict(rate=rate, gradients=given, parameters=[rows(p) for p in parameters]))
    return dict(start=start, weight_decay=0.1, steps=steps)


def schedule():
    def rate(step, warmup, total, peak):
        if step < warmup:
            return peak * step / max(1, warmup)
        return peak * max(0.0, (total - step) / max(1, total - warmup))

    cases = [(0, 10), (3, 10), (10, 10), (12, 10), (0, 1), (0, 0), (5, 0)]
    return [dict(warmup=w, total=t, peak=2e-5, rates=[rate(s, w, t, 2e-5) for s in range(14)]) for w, t in cases]


def clip():
    parameters = [torch.nn.Parameter(torch.zeros(*shape)) for shape in [(4, 5), (1, 3)]]
    for p in parameters:
        p.grad = torch.randn_like(p) * 2
    before = [rows(p.grad) for p in parameters]
    norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    return dict(before=before, max_norm=1.0, norm=norm.item(), after=[rows(p.grad) for p in parameters])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.manual_seed(4)
    fixtures = dict(
        layer_norm=layer_norm(), gelu=activation(F.gelu), gelu_tanh=activation(lambda x: F.gelu(x, approximate="tanh")),
        relu=activation(F.relu), tanh=activation(torch.tanh), attention=attention(), cross_entropy=cross_entropy(),
        mean_squared_error=mean_squared_error(), adamw=adamw(), schedule=schedule(), clip=clip(),
        span_cross_entropy=span_cross_entropy())
    with open(sys.argv[1], "w") as file:
        json.dump(fixtures, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
