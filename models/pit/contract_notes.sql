/*---
interval: [known_from, known_to]
grain: [account, date, note_no, known_from]
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "known_from < known_to"
columns:
  account: {type: VARCHAR, doc: "the account at a broker"}
  date: {type: DATE, doc: "trade date"}
  note_no: {type: VARCHAR, doc: "number of the note"}
  bought_inr: {type: DOUBLE, unit: inr, doc: "value of the purchases"}
  sold_inr: {type: DOUBLE, unit: inr, doc: "value of the sales"}
  brokerage_inr: {type: DOUBLE, unit: inr, doc: "the broker's own fee"}
  exchange_inr: {type: DOUBLE, unit: inr, doc: "transaction charges; with the investor protection fund's where ipft_inr is null"}
  ipft_inr: {type: DOUBLE, unit: inr, doc: "investor protection fund; null where the note has it in exchange_inr"}
  sebi_inr: {type: DOUBLE, unit: inr, doc: "the regulator's fee"}
  stt_inr: {type: DOUBLE, unit: inr, doc: "securities transaction tax"}
  stamp_inr: {type: DOUBLE, unit: inr, doc: "stamp duty"}
  gst_inr: {type: DOUBLE, unit: inr, doc: "goods and services tax"}
  other_inr: {type: DOUBLE, unit: inr, doc: "anything else"}
  charges_inr: {type: DOUBLE, unit: inr, doc: "all of them together"}
  net_inr: {type: DOUBLE, unit: inr, doc: "what the note says the client receives; below zero, pays; null where it does not say"}
  known_from: {type: TIMESTAMPTZ, doc: "when the note came"}
  known_to: {type: TIMESTAMPTZ, doc: "when another took its place; 9999-12-31 while it stands"}
---
One row is one version of a contract note. Account data: no paper portfolio reads it.
*/
with told as (
    {{ account_versions(
        'raw.contract_notes',
        'account, date, note_no',
        'bought_inr, sold_inr, brokerage_inr, exchange_inr, ipft_inr, sebi_inr, stt_inr, stamp_inr, gst_inr, other_inr, net_inr'
    ) }}
)

select
    account,
    date,
    note_no,
    bought_inr,
    sold_inr,
    brokerage_inr,
    exchange_inr,
    ipft_inr,
    sebi_inr,
    stt_inr,
    stamp_inr,
    gst_inr,
    other_inr,
    brokerage_inr + exchange_inr + coalesce(ipft_inr, 0.0) + sebi_inr + stt_inr + stamp_inr + gst_inr + other_inr as charges_inr,
    net_inr,
    known_from,
    known_to,
from told
