/*---
grain: [security_id]
---
One row is a security. Whole numbers as keys cost less than text in every table after this one.
*/
select
    row_number() over (order by symbol)::integer as security_id,
    symbol,
    sector,
from raw.sectors
