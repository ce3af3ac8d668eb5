/*---
kind: incremental
date: date
look_back: 0
grain: [date, security_id]
checks:
  - {query: "select ticker from health.jumps", level: warn, name: unexplained_jumps}
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol that day"}
  kind: {type: VARCHAR, doc: "kind on that day"}
  close: {type: DOUBLE, unit: inr, doc: "official close: a jump of a share of a few paise is a tick"}
  ret: {type: DOUBLE, unit: ratio, doc: "return of the session"}
  market_ret: {type: DOUBLE, unit: ratio, doc: "median return of all shares that session"}
  isin_changed: {type: BOOLEAN, doc: "a new ISIN began that day, as after a split"}
---
One row is a move beyond `jump_pct` that no accepted action explains and the market did not make. It may be an action nobody has on file
(a demerger, a missed split) or the truth: YESBANK fell 56 % on 2020-03-06. A jump is shown, never mended.
*/
with moves as (
    select *
    from pit.returns
    where abs(ret) > {{ jump_pct }} / 100
),

market as (
    select
        returns.session_no,
        median(returns.ret) as market_ret,
    from pit.returns as returns
    where returns.session_no in (select session_no from moves) and returns.kind = 'equity'
    group by returns.session_no
)

select
    moves.date,
    moves.session_no,
    moves.security_id,
    moves.ticker,
    moves.kind,
    moves.close,
    moves.ret,
    market.market_ret,
    securities.valid_from is not null as isin_changed,
from moves
left join market using (session_no)
left join pit.securities as securities
    on securities.security_id = moves.security_id
    and securities.valid_from = moves.date
    and exists (
        select 1
        from pit.securities as before
        where before.security_id = securities.security_id and before.valid_to = securities.valid_from and before.isin != securities.isin
    )
where not exists (
        select 1
        from pit.corporate_actions as actions
        where actions.security_id = moves.security_id and actions.ex_date = moves.date
    )
    and abs(coalesce(market.market_ret, 0)) < {{ jump_pct }} / 200
