namespace Gateway.Server.Store.State;

/// <summary>
/// What runs in Redis, each whole or not at all. Every script is given the prefix of all keys as KEYS[1].
/// </summary>
/// <remarks>
/// <code>
/// schema              the schema's version
/// credential:ID       hash: hash, owner, document, created, expires, revoked, used, from, sequence, identity, kept,
/// keptms secret:HASH         the id
/// identity:HASH       the id
/// credentials         sorted set of ids by sequence
/// owner:SUBJECT       the same of one owner
/// ends                sorted set of ids by the millisecond they end, or must be kept until
/// changes             sorted set of "position kind at key" by position
/// blocks              hash: of a subject, "changed record"
/// last                hash: sequence, position, blocks
/// </code>
/// Instants are ticks of UTC with 19 digits, so that they compare as text: Lua's numbers are not exact that far.
/// Gateways up to 0.1 know nothing of identities and of what must be kept; next to one of them the later ones' still
/// work. Nothing here has an expiry of its own. With one, <c>maxmemory-policy volatile-*</c> would evict it, and a
/// revocation must not get lost; <c>PruneAsync</c> removes what is over. PUBLISH is a pcall: a user without rights on
/// channels must still be able to revoke.
/// </remarks>
internal static class RedisScripts
{
    /// <summary>The version of what is written above.</summary>
    public const string SchemaVersion = "1";

    /// <summary>ARGV: id, hash, owner, document, created, expires, end in milliseconds, revoked, used, from, identity,
    /// kept, kept in milliseconds.</summary>
    public const string Add = Prelude + """
        if redis.call('EXISTS', p .. 'credential:' .. ARGV[1], p .. 'secret:' .. ARGV[2]) > 0 then return {'duplicate'} end
        if ARGV[11] ~= '' and byIdentity(ARGV[11]) then return {'duplicate'} end
        redis.call('SET', p .. 'schema', version)
        local sequence = redis.call('HINCRBY', p .. 'last', 'sequence', 1)
        local key = p .. 'credential:' .. ARGV[1]
        redis.call('HSET', key, 'hash', ARGV[2], 'owner', ARGV[3], 'document', ARGV[4], 'created', ARGV[5],
            'expires', ARGV[6], 'sequence', sequence)
        if ARGV[8] ~= '' then redis.call('HSET', key, 'revoked', ARGV[8]) end
        if ARGV[9] ~= '' then redis.call('HSET', key, 'used', ARGV[9], 'from', ARGV[10]) end
        if ARGV[11] ~= '' then
            redis.call('HSET', key, 'identity', ARGV[11])
            redis.call('SET', p .. 'identity:' .. ARGV[11], ARGV[1])
        end
        if ARGV[12] ~= '' then redis.call('HSET', key, 'kept', ARGV[12], 'keptms', ARGV[13]) end
        redis.call('SET', p .. 'secret:' .. ARGV[2], ARGV[1])
        redis.call('ZADD', p .. 'credentials', sequence, ARGV[1])
        redis.call('ZADD', p .. 'owner:' .. ARGV[3], sequence, ARGV[1])
        redis.call('ZADD', p .. 'ends', ARGV[7], ARGV[1])
        return {'ok'}
        """;

    /// <summary>ARGV: hash.</summary>
    public const string FindByHash = Prelude + """
        local id = redis.call('GET', p .. 'secret:' .. ARGV[1])
        if not id then return {'ok', {}} end
        return {'ok', {read(id)}}
        """;

    /// <summary>ARGV: identity.</summary>
    public const string FindByIdentity = Prelude + """
        local id = byIdentity(ARGV[1])
        if not id then return {'ok', {}} end
        return {'ok', {read(id)}}
        """;

    /// <summary>ARGV: id.</summary>
    public const string FindById = Prelude + """
        if redis.call('EXISTS', p .. 'credential:' .. ARGV[1]) == 0 then return {'ok', {}} end
        return {'ok', {read(ARGV[1])}}
        """;

    /// <summary>ARGV: owner or empty for all; below which sequence ("+inf", "(17"); how many at most.</summary>
    public const string List = Prelude + """
        local set = ARGV[1] == '' and 'credentials' or 'owner:' .. ARGV[1]
        local ids = redis.call('ZREVRANGEBYSCORE', p .. set, ARGV[2], '-inf', 'LIMIT', 0, ARGV[3])
        local found = {}
        for _, id in ipairs(ids) do found[#found + 1] = read(id) end
        return {'ok', found}
        """;

    /// <summary>ARGV: id, at, at in milliseconds, channel.</summary>
    public const string Revoke = Prelude + Changing + """
        local key = p .. 'credential:' .. ARGV[1]
        if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'revoked') == 1 then return {'ok', 0} end
        revoke(ARGV[1], ARGV[2], ARGV[3])
        redis.pcall('PUBLISH', ARGV[4], '')
        return {'ok', 1}
        """;

    /// <summary>ARGV: owner, at, at in milliseconds, channel.</summary>
    public const string RevokeAll = Prelude + Changing + """
        redis.call('SET', p .. 'schema', version)
        local count = 0
        for _, id in ipairs(redis.call('ZRANGE', p .. 'owner:' .. ARGV[1], 0, -1)) do
            if redis.call('HEXISTS', p .. 'credential:' .. id, 'revoked') == 0 then
                revoke(id, ARGV[2], ARGV[3])
                count = count + 1
            end
        end
        announce('subjectrevoked', ARGV[2], ARGV[1])
        redis.pcall('PUBLISH', ARGV[4], '')
        return {'ok', count}
        """;

    /// <summary>ARGV: id, expires, expires in milliseconds, channel.</summary>
    public const string Shorten = Prelude + Changing + """
        local key = p .. 'credential:' .. ARGV[1]
        local expires = redis.call('HGET', key, 'expires')
        if not expires or redis.call('HEXISTS', key, 'revoked') == 1 or expires <= ARGV[2] then return {'ok', 0} end
        redis.call('HSET', key, 'expires', ARGV[2])
        redis.call('ZADD', p .. 'ends', math.max(ARGV[3] + 0, kept(key)), ARGV[1])
        announce('shortened', ARGV[2], ARGV[1])
        redis.pcall('PUBLISH', ARGV[4], '')
        return {'ok', 1}
        """;

    /// <summary>ARGV: id, at, from; again and again.</summary>
    public const string RecordUses = Prelude + """
        for i = 1, #ARGV, 3 do
            local key = p .. 'credential:' .. ARGV[i]
            if redis.call('EXISTS', key) == 1 and (redis.call('HGET', key, 'used') or '') <= ARGV[i + 1] then
                redis.call('HSET', key, 'used', ARGV[i + 1], 'from', ARGV[i + 2])
            end
        end
        return {'ok'}
        """;

    /// <summary>ARGV: position, how many at most. Gives position and member in turn.</summary>
    public const string ReadChanges = Prelude + """
        return {'ok', redis.call('ZRANGEBYSCORE', p .. 'changes', '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])}
        """;

    /// <summary>
    /// ARGV: the version that is known. Gives nothing where it is the present one, else that and each block.
    /// </summary>
    /// <remarks>The count is part of it: deleting the hash alone does not touch the number.</remarks>
    public const string ReadBlocks = Prelude + """
        local current = (redis.call('HGET', p .. 'last', 'blocks') or '0') .. ':' .. redis.call('HLEN', p .. 'blocks')
        if current == ARGV[1] then return {'ok', {}} end
        local found = {current}
        for _, value in ipairs(redis.call('HVALS', p .. 'blocks')) do found[#found + 1] = value end
        return {'ok', found}
        """;

    /// <summary>ARGV: subject, changed, record, channel, when what it replaces was changed.</summary>
    public const string WriteBlock = Prelude + Changing + """
        local old = redis.call('HGET', p .. 'blocks', ARGV[1])
        local changed = old and string.sub(old, 1, 19)
        if old and (changed >= ARGV[2] or changed > ARGV[5]) then return {'ok', 0} end
        redis.call('SET', p .. 'schema', version)
        redis.call('HSET', p .. 'blocks', ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
        redis.call('HSET', p .. 'last', 'blocks', after('blocks'))
        redis.pcall('PUBLISH', ARGV[4], '')
        return {'ok', 1}
        """;

    /// <summary>
    /// ARGV: before, before in milliseconds, how many at most, milliseconds that a revoked job's credential is kept
    /// where it does not say itself. Gives how many credentials it looked at, and how many changes and credentials it
    /// removed.
    /// </summary>
    public const string Prune = Prelude + """
        local ids = redis.call('ZRANGEBYSCORE', p .. 'ends', '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
        local removed = 0
        for _, id in ipairs(ids) do
            local key = p .. 'credential:' .. id
            local hash, owner, document, revoked, identity, keptms =
                unpack(redis.call('HMGET', key, 'hash', 'owner', 'document', 'revoked', 'identity', 'keptms'))
            if revoked and not keptms and string.sub(document or '', 1, 18) == '{"kind":"workload"' then
                local till = string.format('%.0f', redis.call('ZSCORE', p .. 'ends', id) + ARGV[4])
                redis.call('HSET', key, 'keptms', till)
                redis.call('ZADD', p .. 'ends', till, id)
            elseif keptms and keptms + 0 >= ARGV[2] + 0 then
                redis.call('ZADD', p .. 'ends', keptms, id)
            else
                if hash then redis.call('DEL', p .. 'secret:' .. hash) end
                if identity then redis.call('DEL', p .. 'identity:' .. identity) end
                if owner then redis.call('ZREM', p .. 'owner:' .. owner, id) end
                redis.call('DEL', key)
                redis.call('ZREM', p .. 'credentials', id)
                redis.call('ZREM', p .. 'ends', id)
                removed = removed + 1
            end
        end
        local changes = 0
        for _, member in ipairs(redis.call('ZRANGE', p .. 'changes', 0, ARGV[3] - 1)) do
            if (string.match(member, '^%d+ %l+ (%d+) ') or '') < ARGV[1] then
                changes = changes + redis.call('ZREM', p .. 'changes', member)
            end
        end
        return {'ok', {#ids, changes, removed}}
        """;

    // Checked by every script, and so also after another replica has migrated what all of them share.
    private const string Prelude = """
        local p = KEYS[1]
        local version = '1'
        local found = redis.call('GET', p .. 'schema')
        if found and found ~= version then return {'schema', found} end
        local function read(id)
            return {id, redis.call('HMGET', p .. 'credential:' .. id,
                'document', 'hash', 'created', 'expires', 'revoked', 'used', 'from', 'sequence', 'identity', 'kept')}
        end
        local function byIdentity(identity)
            local id = redis.call('GET', p .. 'identity:' .. identity)
            return id and redis.call('EXISTS', p .. 'credential:' .. id) == 1 and id
        end

        """;

    // Positions follow the clock of Redis. A mere counter would go back with the last second of a Redis that was cut
    // off from power, and readers, who are further on, would pass over the changes that take those numbers again.
    private const string Changing = """
        local function after(field)
            local time = redis.call('TIME')
            local last = tonumber(redis.call('HGET', p .. 'last', field) or '0')
            return string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
        end
        local function announce(kind, at, key)
            local text = after('position')
            redis.call('HSET', p .. 'last', 'position', text)
            redis.call('ZADD', p .. 'changes', text, text .. ' ' .. kind .. ' ' .. at .. ' ' .. key)
        end
        local function kept(key) return (redis.call('HGET', key, 'keptms') or 0) + 0 end
        local function revoke(id, at, milliseconds)
            local key = p .. 'credential:' .. id
            redis.call('HSET', key, 'revoked', at)
            local till = math.max(milliseconds + 0, kept(key))
            if redis.call('ZSCORE', p .. 'ends', id) + 0 > till then
                redis.call('ZADD', p .. 'ends', till, id)
            end
            announce('revoked', at, id)
        end

        """;
}
