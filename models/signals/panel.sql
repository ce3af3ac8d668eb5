/*---
kind: incremental
look_back: 0
grain: [date, factor, security_id]
checks:
  - "isfinite(value)"
  - "sign in (-1, 1)"
  - "basis in ('filings', 'prices')"
  - name: a_proxy_is_a_factor_of_prices
    query: >-
      {% for factor in tables('factors') if factor.meta.proxy -%}
      select {{ factor.table }} as factor, {{ factor.meta.proxy }} as proxy
      where {{ factor.meta.basis }} = 'prices' or {{ factor.meta.proxy }} not in (''
      {%- for other in tables('factors') if other.meta.basis == 'prices' %}, {{ other.table }}{% endfor %})
      union all
      {% endfor -%}
      select 'none', 'none' where false
columns:
  date: {type: DATE, doc: "decision date"}
  security_id: {type: BIGINT, doc: "an active member"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  sleeve: {type: VARCHAR, doc: "family of the factor"}
  sign: {type: INTEGER, doc: "1 where more is better, -1 where less is"}
  value: {type: DOUBLE, doc: "the factor, raw; of a proxy the other factor, turned so that sign holds"}
  basis: {type: VARCHAR, doc: "what the value is made of: filings or prices"}
  is_proxy: {type: BOOLEAN, doc: "true where a factor of prices stands in for one of filings that the name does not have"}
---
One row is one factor of one name on one decision date: every table of the factors layer, found by itself.
A factor made of filings may name a proxy made of prices (`meta.proxy`): names that have the proxy and not the factor are here with the proxy's value,
and `basis` and `is_proxy` say so. The two are in different units, so they must never be ranked against each other: compare within (date, factor, basis).
*/
{% for factor in tables('factors') -%}
select
    date,
    security_id,
    {{ factor.table }} as factor,
    {{ factor.meta.sleeve }} as sleeve,
    {{ factor.meta.sign }}::integer as sign,
    value,
    {{ factor.meta.basis }} as basis,
    false as is_proxy,
from {{ factor.name | ident }}
{% for proxy in tables('factors') if proxy.table == factor.meta.proxy -%}
union all
select
    proxy.date,
    proxy.security_id,
    {{ factor.table }} as factor,
    {{ factor.meta.sleeve }} as sleeve,
    {{ factor.meta.sign }}::integer as sign,
    {{ proxy.meta.sign * factor.meta.sign }} * proxy.value as value,
    {{ proxy.meta.basis }} as basis,
    true as is_proxy,
from {{ proxy.name | ident }} as proxy
anti join {{ factor.name | ident }} as own using (date, security_id)
{% endfor -%}
{% if not loop.last %}union all
{% endif %}{% endfor %}
