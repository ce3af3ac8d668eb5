"""How long a plan takes as the graph grows: 50, 100, 200, 400 models of a hundred lines' worth of SQL each.

`python -m benchmarks.modelgraph.many [--rounds 3]`. Scenarios: cold (nothing remembered, nothing built), unchanged, and
a constant of one model edited. Prints medians and the growth exponent from 50 to 400 models.
"""

from __future__ import annotations

import argparse
import itertools
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import DATA, Cost, Side

TSQ = Path(sys.executable).parent / "tsq"
SIZES = (50, 100, 200, 400)
LAYERS = 8
MODEL = """/*---
grain: [id]
columns:
  id: {{type: BIGINT, doc: "a name"}}
  value: {{type: DOUBLE, unit: ratio, doc: "a number"}}
checks: ["value is null or isfinite(value)"]
---
One row is a name. Known at once.
*/
with first as (
    select id, value * 1.0 as value, row_number() over (order by id) as place from {one}
),

second as (
    select id, avg(value) over (order by id rows between 20 preceding and current row) as value from {other}
),

joined as (
    select
        first.id,
        first.value as x,
        second.value as y,
        case when first.place % 2 = 0 then 'even' else 'odd' end as parity,
    from first
    left join second using (id)
),

spread as (
    select parity, avg(x order by id) as mean, stddev_samp(x order by id) as width from joined group by parity
)

select
    joined.id,
    (joined.x - spread.mean) / nullif(spread.width, 0) + 0.5 * coalesce(joined.y, 0) as value,
from joined
join spread using (parity)
"""
SEED = """/*---
grain: [id]
columns:
  id: {type: BIGINT, doc: "a name"}
  value: {type: DOUBLE, unit: ratio, doc: "a number"}
---
One row is a name.
*/
select
    range as id,
    sin(range)::double as value,
from range(100)
"""


def write(root: Path, size: int) -> None:
    """Write a project of `size` models, each reading two of those before it."""
    shutil.rmtree(root, ignore_errors=True)
    layers = [f"layer_{place}" for place in range(LAYERS)]
    for layer in layers:
        (root / "models" / layer).mkdir(parents=True)
    (root / "config").mkdir()
    (root / "config" / "run.yml").write_text("# A knob.\nn: 1\n", encoding="utf-8")
    (root / "models" / "layers.yml").write_text(f"order: [{', '.join(layers)}]\n", encoding="utf-8")
    names: list[str] = []
    for place in range(size):
        layer = layers[place * LAYERS // size]
        one, other = (names[-1], names[place * 7 % place]) if place else ("", "")
        text = MODEL.format(one=one, other=other) if place else SEED
        (root / "models" / layer / f"m{place:03d}.sql").write_text(text, encoding="utf-8")
        names.append(f"{layer}.m{place:03d}")


def constant(root: Path, size: int) -> Callable[[], None]:
    """Give a constant of the middle model another value each time."""
    (path,) = root.glob(f"models/*/m{size // 2:03d}.sql")
    text, turns = path.read_text(encoding="utf-8"), itertools.count(1)

    def edit() -> None:
        path.write_text(text.replace("0.5 *", f"0.5{next(turns):03d} *"), encoding="utf-8")

    return edit


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    costs: dict[str, dict[int, list[Cost]]] = {"cold": {}, "unchanged": {}, "one edited": {}}
    for size in SIZES:
        root = DATA / "many" / str(size)
        write(root, size)
        plan = [TSQ, "plan", "--project", root]

        def forget(root: Path = root) -> None:
            shutil.rmtree(root / "warehouse", ignore_errors=True)

        costs["cold"][size] = measure.rounds({"plan": Side(plan, before=forget)}, wanted.rounds)["plan"]
        measure.once(Side([TSQ, "run", "--no-report", "--project", root]))
        costs["unchanged"][size] = measure.rounds({"plan": Side(plan)}, wanted.rounds)["plan"]
        edited = Side(plan, before=constant(root, size))
        costs["one edited"][size] = measure.rounds({"plan": edited}, wanted.rounds)["plan"]
    print(f"| wall s (CPU s) | {' | '.join(map(str, SIZES))} | exponent |\n|---|{'---|' * (len(SIZES) + 1)}")
    for name, sizes in costs.items():
        medians = {size: measure.median(found) for size, found in sizes.items()}
        first, last = medians[SIZES[0]], medians[SIZES[-1]]
        exponent = math.log(last.cpu / first.cpu) / math.log(SIZES[-1] / SIZES[0])
        cells = [f"{cost.wall:.2f} ({cost.cpu:.2f})" for cost in medians.values()]
        print(f"| {name} | {' | '.join(cells)} | {exponent:.2f} |")
    measure.save("many", {name: {str(size): found for size, found in sizes.items()} for name, sizes in costs.items()})


if __name__ == "__main__":
    main()
