namespace Gateway.Server.Limits.RateLimiting;

/// <summary>What runs in Redis for limits, each whole or not at all, by Redis's own clock.</summary>
/// <remarks>
/// <code>
/// limit:RULE|…    when the budget is whole again, in microseconds; expires then
/// lease:RULE|…    "id count expiry …" of the leases of that budget; not a hash, whose expiry needs one more right
/// failed:RULE|…   "whole last", the same and the last failure
/// seen:RULE|…     that an account failed from an address: "1", or who is just being looked at; expires with the window
/// again:HMAC      that a wrong password was just counted
/// </code>
/// They answer with what was there before (a lease that is over is settled first), and the verdict is worked out from
/// it by the same code as for budgets in memory (<c>Gcra</c>, <c>FailureBudget</c>); tests hold that both do the same.
/// Instants stay below 2^53, where Lua's numbers are exact, and are written by string.format, since tostring rounds
/// them. A value that is no number, because somebody else wrote it, counts as none.
/// </remarks>
internal static class LimitScripts
{
    /// <summary>
    /// KEYS: of each budget its own and that of its leases. ARGV: permits (negative gives back), microseconds that a
    /// new lease lasts; then of each budget interval, burst, the lease that is given back or -, how many of its permits
    /// were used, the name of a new lease, and how many permits that is to have (0: none).
    /// </summary>
    public const string Take = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local permits = tonumber(ARGV[1])
        local answer, budgets, allowed = {now}, {}, true
        for i = 1, #KEYS / 2 do
            local a = 6 * i - 3
            local interval, burst = tonumber(ARGV[a]), tonumber(ARGV[a + 1])
            local whole = tonumber(redis.call('GET', KEYS[2 * i - 1]) or 0) or 0
            local kept, reserved, latest, settled = '', 0, 0, false
            for id, count, expiry in string.gmatch(redis.call('GET', KEYS[2 * i]) or '', '(%S+) (%d+) (%d+)') do
                local taken, at = tonumber(count), tonumber(expiry)
                if id ~= ARGV[a + 2] and at > now and at <= now + tonumber(ARGV[2]) then
                    kept = kept .. id .. ' ' .. count .. ' ' .. expiry .. ' '
                    reserved, latest = reserved + taken, math.max(latest, at)
                else
                    if id == ARGV[a + 2] then taken = math.min(taken, tonumber(ARGV[a + 3])) end
                    if taken > 0 then whole = math.max(whole, math.min(at, now)) + taken * interval end
                    settled = true
                end
            end
            local before = math.min(math.max(whole, now), now + interval * burst)
            local after = math.max(now, before + permits * interval)
            allowed = allowed and (permits <= 0 or after + reserved * interval - interval * burst <= now)
            budgets[i] = {whole, before, after, kept, latest, settled}
            answer[3 * i - 1], answer[3 * i], answer[3 * i + 1] = whole, reserved, 0
        end
        for i, budget in ipairs(budgets) do
            local a = 6 * i - 3
            local interval, burst, wanted = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 5])
            local whole, before, after, kept, latest, settled = unpack(budget)
            local taken = allowed and permits ~= 0
            if taken or settled then
                if taken then whole = after end
                if whole > now then
                    local left = math.ceil((whole - now) / 1000)
                    redis.call('SET', KEYS[2 * i - 1], string.format('%.0f', whole), 'PX', left)
                else
                    redis.call('DEL', KEYS[2 * i - 1])
                end
            end
            if allowed and wanted > 0 then
                local left = math.floor((interval * burst - (after - now) - answer[3 * i] * interval) / interval)
                local count = math.min(wanted, math.floor(left / 10))
                if count >= 10 then
                    latest = math.max(latest, now + tonumber(ARGV[2]))
                    kept = kept .. string.format('%s %d %.0f ', ARGV[a + 4], count, now + tonumber(ARGV[2]))
                    answer[3 * i + 1], settled = count, true
                end
            end
            if settled and kept == '' then
                redis.call('DEL', KEYS[2 * i])
            elseif settled then
                redis.call('SET', KEYS[2 * i], kept, 'PX', math.ceil((latest - now + interval * burst) / 1000))
            end
        end
        return answer
        """;

    /// <summary>
    /// KEYS: a budget and its leases. ARGV: the lease that the process held that resets the budget, or -. What others
    /// hold stays reserved until they settle it: forgotten, it could be taken twice.
    /// </summary>
    public const string Reset = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local kept, latest = '', 0
        for id, count, expiry in string.gmatch(redis.call('GET', KEYS[2]) or '', '(%S+) (%d+) (%d+)') do
            if id ~= ARGV[1] and tonumber(expiry) > now then
                kept = kept .. id .. ' ' .. count .. ' ' .. expiry .. ' '
                latest = math.max(latest, tonumber(expiry))
            end
        end
        redis.call('DEL', KEYS[1])
        if kept == '' then
            redis.call('DEL', KEYS[2])
        else
            redis.call('SET', KEYS[2], kept, 'PX', math.ceil((latest - now) / 1000))
        end
        return {1}
        """;

    /// <summary>
    /// KEYS: again; then of each budget its own and the one that says that the account failed from here. ARGV: whether
    /// it has failed already, milliseconds of again, the first delay, how far beyond the burst is counted; then of each
    /// budget interval, burst, whether only who failed from here has to wait, milliseconds of the window.
    /// </summary>
    public const string CountFailure = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        if redis.call('EXISTS', KEYS[1]) == 1 then
            redis.call('DEL', KEYS[1])
            return {now, 1}
        end
        local first, most = tonumber(ARGV[3]), tonumber(ARGV[4])
        local answer, after, blocked = {now, 0}, {}, false
        for i = 1, (#KEYS - 1) / 2 do
            local interval, burst = tonumber(ARGV[4 * i + 1]), tonumber(ARGV[4 * i + 2])
            local whole, last = string.match(redis.call('GET', KEYS[2 * i]) or '', '^(%d+) (%d+)$')
            whole, last = tonumber(whole or 0), tonumber(last or 0)
            local seen = redis.call('GET', KEYS[2 * i + 1])
            local concerned = ARGV[4 * i + 3] == '0' or (seen and seen ~= KEYS[1])
            answer[3 * i], answer[3 * i + 1], answer[3 * i + 2] = whole, last, concerned and 1 or 0
            local left = math.max(whole - now, 0)
            local part = math.fmod(left, interval)
            local beyond = (left - part) / interval + (part > 0 and 1 or 0) - burst
            if concerned and beyond >= 0 then
                local delay = math.min(interval, first * 2 ^ math.min(beyond, most))
                blocked = blocked or math.min(last, now) + delay > now
            end
            after[i] = math.min(math.max(whole, now) + interval, now + (burst + most) * interval)
        end
        if blocked then return answer end
        for i = 1, #after do
            redis.call('SET', KEYS[2 * i], string.format('%.0f %.0f', after[i], now), 'PX', math.ceil((after[i] - now) / 1000))
            if ARGV[4 * i + 3] == '1' then
                local seen = redis.call('GET', KEYS[2 * i + 1])
                local mark = ARGV[1] == '0' and (not seen or seen == KEYS[1]) and KEYS[1] or '1'
                redis.call('SET', KEYS[2 * i + 1], mark, 'PX', ARGV[4 * i + 4])
            end
        end
        redis.call('SET', KEYS[1], '1', 'PX', ARGV[2])
        return answer
        """;

    /// <summary>
    /// KEYS: as for counting. ARGV: of each budget the milliseconds of its window, or 0 where nothing is noted.
    /// </summary>
    public const string ConfirmFailure = """
        for i = 1, #ARGV do
            if ARGV[i] ~= '0' then redis.call('SET', KEYS[2 * i + 1], '1', 'PX', ARGV[i]) end
        end
        return 1
        """;

    /// <summary>
    /// KEYS: as for counting. ARGV: when it was counted, and whether the password was right; then of each budget the
    /// interval and the last failure before.
    /// </summary>
    public const string ForgiveFailure = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        redis.call('DEL', KEYS[1])
        for i = 1, (#KEYS - 1) / 2 do
            local whole, last = string.match(redis.call('GET', KEYS[2 * i]) or '', '^(%d+) (%d+)$')
            local after = tonumber(whole or 0) - tonumber(ARGV[2 * i + 1])
            if last == ARGV[1] then last = ARGV[2 * i + 2] end
            if after > now then
                redis.call('SET', KEYS[2 * i], string.format('%.0f %s', after, last), 'PX', math.ceil((after - now) / 1000))
            else
                redis.call('DEL', KEYS[2 * i])
            end
            if ARGV[2] == '1' or redis.call('GET', KEYS[2 * i + 1]) == KEYS[1] then redis.call('DEL', KEYS[2 * i + 1]) end
        end
        return 1
        """;
}
