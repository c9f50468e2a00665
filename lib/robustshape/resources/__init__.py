"""What a study will need before it starts: time, memory, disk, and what drives them.

`workload` counts what is to be done, `sizes` measures networks without weights, `rates` measures this machine for a
few seconds, `estimate` divides one by the other; `of_preset` reads a preset, `words` prints.
"""
