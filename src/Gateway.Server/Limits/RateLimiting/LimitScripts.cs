namespace Gateway.Server.Limits.RateLimiting;

/// <summary>What runs in Redis for limits, each whole or not at all, by Redis's own clock.</summary>
/// <remarks>
/// <code>
/// limit:RULE|…    when the budget is whole again, in microseconds; expires then
/// failed:RULE|…   "whole last", the same and the last failure
/// seen:RULE|…     that an account failed from an address: "1", or who is just being looked at; expires with the window
/// again:HMAC      that a wrong password was just counted
/// </code>
/// They answer with what was there before, and the verdict is worked out from it by the same code as for budgets in
/// memory (<c>Gcra</c>, <c>FailureBudget</c>); tests hold that both do the same. Instants stay below 2^53, where Lua's
/// numbers are exact, and are written by string.format, since tostring rounds them. A value that is no number, because
/// somebody else wrote it, counts as none.
/// </remarks>
internal static class LimitScripts
{
    /// <summary>KEYS: budgets. ARGV: permits (negative gives back), then interval and burst of each budget.</summary>
    public const string Take = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local permits = tonumber(ARGV[1])
        local answer, after, allowed = {now}, {}, true
        for i, key in ipairs(KEYS) do
            local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
            local whole = tonumber(redis.call('GET', key) or 0) or 0
            answer[i + 1] = whole
            after[i] = math.max(now, math.min(math.max(whole, now), now + interval * burst) + permits * interval)
            allowed = allowed and after[i] - interval * burst <= now
        end
        if allowed and permits ~= 0 then
            for i, key in ipairs(KEYS) do
                if after[i] > now then
                    redis.call('SET', key, string.format('%.0f', after[i]), 'PX', math.ceil((after[i] - now) / 1000))
                else
                    redis.call('DEL', key)
                end
            end
        end
        return answer
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
