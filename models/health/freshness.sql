/*---
grain: [dataset]
checks:
  - {query: "select dataset from health.freshness where dataset = 'prices' and n_rows = 0", name: there_are_prices}
columns:
  dataset: {type: VARCHAR, doc: "raw dataset"}
  n_rows: {type: BIGINT, unit: count, doc: "rows of all versions"}
  n_files: {type: BIGINT, unit: count, doc: "files they came from"}
  first_date: {type: DATE, doc: "oldest valid date"}
  last_date: {type: DATE, doc: "newest valid date"}
  newest_known_at: {type: TIMESTAMPTZ, doc: "newest knowledge"}
  newest_loaded_at: {type: TIMESTAMPTZ, doc: "newest load"}
  days_behind: {type: INTEGER, unit: days, doc: "calendar days from its newest date to the newest session"}
---
One row is how fresh a raw dataset is, beside the newest session. It describes the lake of today, so no row of it is ever final.
*/
with datasets as (
    {% for dataset, day in [
        ('prices', 'date'), ('symbol_changes', 'effective_date'), ('corporate_actions', 'ex_date'), ('sectors', 'seen_on'),
        ('index_members', 'valid_from'), ('index_levels', 'date'), ('fundamentals', 'period_end'), ('listings', 'listed_on'),
    ] -%}
    select
        {{ dataset }} as dataset,
        count(*) as n_rows,
        count(distinct file) as n_files,
        min({{ day | ident }}) as first_date,
        max({{ day | ident }}) as last_date,
        max(known_at) as newest_known_at,
        max(loaded_at) as newest_loaded_at,
    from raw.{{ dataset | ident }}
    {% if not loop.last %}union all
    {% endif %}{% endfor %}
)

select
    dataset,
    n_rows,
    n_files,
    first_date,
    last_date,
    newest_known_at,
    newest_loaded_at,
    ((select max(date) from pit.sessions) - last_date)::integer as days_behind,
from datasets
