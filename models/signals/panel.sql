/*---
kind: incremental
look_back: 0
grain: [date, factor, security_id]
checks:
  - "isfinite(value)"
  - "sign in (-1, 1)"
columns:
  date: {type: DATE, doc: "decision date"}
  security_id: {type: BIGINT, doc: "an active member"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  sleeve: {type: VARCHAR, doc: "family of the factor"}
  sign: {type: INTEGER, doc: "1 where more is better, -1 where less is"}
  value: {type: DOUBLE, doc: "the factor, raw"}
---
One row is one factor of one name on one decision date: every table of the factors layer, found by itself.
*/
{% for factor in tables('factors') -%}
select
    date,
    security_id,
    {{ factor.table }} as factor,
    {{ factor.meta.sleeve }} as sleeve,
    {{ factor.meta.sign }}::integer as sign,
    value,
from {{ factor.name | ident }}
{% if not loop.last %}union all
{% endif %}{% endfor %}
