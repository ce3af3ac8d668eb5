-- The twenty best names of every blend at the newest decision date.
select
    score.date,
    score.blend,
    score.rank,
    members.ticker,
    members.sector,
    round(score.score, 3) as score,
    round(score.weight_known, 2) as weight_known,
from signals.score as score
join universe.members as members on members.date = score.date and members.security_id = score.security_id
where score.date = (select max(date) from signals.score) and score.rank <= 20
order by score.blend, score.rank
