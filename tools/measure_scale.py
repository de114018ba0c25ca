#!/usr/bin/env python3
"""Measure what two processes need on this machine: messages of several sizes, steps alone and together.

    torchrun --standalone --nproc-per-node 2 tools/measure_scale.py results/scale-cpu.json

The notebook further/scale reads the file. It takes a minute on two idle cores. On a busy machine, look at the
fastest turns.
"""
import json, sys, time
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist

from cifar_nb.data import draw_synthetic
from cifar_nb.device import Precision, device_name
from cifar_nb.distributed import World, joined, share_training
from cifar_nb.experiment import build
from cifar_nb.recipe import get_recipe
from cifar_nb.train import TrainStep

SIZES = [4 << 2*i for i in range(12)] # bytes of a message, up to 16 MiB
STEPS = [(16, 64), (32, 16), (64, 8)] # width of the net, images in the whole batch

def seconds(f, group) -> float:
    "Return how long the slowest process needs for a call that all begin at the same time."
    dist.barrier(group)
    start = time.perf_counter()
    f()
    took = torch.tensor(time.perf_counter() - start)
    dist.all_reduce(took, dist.ReduceOp.MAX, group)
    return took.item()

def make_step(width: int, batch_size: int, world: World):
    "Return a training step on the part of a batch that this process has."
    sizes = dict(width=width, batch_size=batch_size, train_images=batch_size, test_images=10)
    recipe = get_recipe('plain', 'test', lr_min=1e-4, lr_max=1e-3, **sizes)
    e = build(recipe, draw_synthetic(batch_size, 10), 'cpu', Precision('fp32'))
    step = TrainStep(e.state(), e.loss_fn)
    batches = share_training(world, step, e.train, e.evaluator(), [])[0]
    x, y = next(iter(batches))
    step.state.model.train()
    return lambda: step.step(x, y)

def measure_steps(width: int, batch_size: int, world: World) -> dict:
    "Return the times of a step: of half a batch alone, and of the whole batch together, in turns."
    alone, together = make_step(width, batch_size//world.size, World()), make_step(width, batch_size, world)
    turns = {'alone': alone, 'together': together}
    for step in turns.values():
        for _ in range(3): step()
    times = {name: [] for name in turns}
    for _ in range(60):
        for name, step in turns.items(): times[name].append(seconds(step, world.group))
    return dict(width=width, batch_size=batch_size, **times)

def main(path: str):
    torch.set_num_threads(1)
    with joined() as world:
        messages = {}
        for size in SIZES:
            send = partial(dist.all_reduce, torch.zeros(size//4), group=world.group)
            messages[size] = [seconds(send, world.group) for _ in range(200)]
        steps = [measure_steps(width, batch_size, world) for width, batch_size in STEPS]
        machine = dict(hardware=device_name('cpu'), torch=torch.__version__, processes=world.size)
        measured = machine | dict(all_reduce=messages, steps=steps)
        if world.rank == 0: Path(path).write_text(json.dumps(measured))

if __name__ == '__main__': main(sys.argv[1])
