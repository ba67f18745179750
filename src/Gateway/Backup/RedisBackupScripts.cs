using Gateway.Server.Store.State;

namespace Gateway.Backup;

/// <summary>The Redis scripts of backup and restore. Keys are those of <see cref="RedisScripts"/>.</summary>
internal static class RedisBackupScripts
{
    /// <summary>KEYS: prefix.</summary>
    public const string Schema = "return redis.call('GET', KEYS[1] .. 'schema')";

    /// <summary>KEYS: the hash.</summary>
    public const string Hash = "return redis.call('HGETALL', KEYS[1])";

    /// <summary>KEYS: prefix. ARGV: below which sequence, how many at most. Returns complete tokens.</summary>
    public const string Page = Row + """
        local found = {}
        for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', p .. 'credentials', ARGV[1], '-inf', 'LIMIT', 0, ARGV[2])) do
            found[#found + 1] = row(id)
        end
        return found
        """;

    /// <summary>KEYS: prefix. ARGV: ids. Missing ones are left out.</summary>
    public const string Rows = Row + """
        local found = {}
        for _, id in ipairs(ARGV) do
            if redis.call('EXISTS', p .. 'credential:' .. id) == 1 then found[#found + 1] = row(id) end
        end
        return found
        """;

    /// <summary>KEYS: prefix. ARGV: above which position, how many at most.</summary>
    public const string Changes =
        "return redis.call('ZRANGEBYSCORE', KEYS[1] .. 'changes', ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])";

    /// <summary>KEYS: prefix to write under. ARGV: kind, name, and values.</summary>
    public const string Import = """
        local p = KEYS[1]
        local kind, name = ARGV[1], ARGV[2]
        if kind == 'schema' then
            redis.call('SET', p .. 'schema', ARGV[3])
        elseif kind == 'credential' then
            for i = 7, #ARGV, 2 do
                redis.call('HSET', p .. 'credential:' .. name, ARGV[i], ARGV[i + 1])
                if ARGV[i] == 'identity' then redis.call('SET', p .. 'identity:' .. ARGV[i + 1], name) end
            end
            redis.call('SET', p .. 'secret:' .. ARGV[5], name)
            redis.call('ZADD', p .. 'credentials', ARGV[3], name)
            redis.call('ZADD', p .. 'owner:' .. ARGV[6], ARGV[3], name)
            redis.call('ZADD', p .. 'ends', ARGV[4], name)
        elseif kind == 'change' then
            redis.call('ZADD', p .. 'changes', ARGV[4], ARGV[3])
        else
            redis.call('HSET', p .. name, ARGV[3], ARGV[4])
        end
        return 1
        """;

    /// <summary>KEYS: prefix.</summary>
    public const string Count = "return redis.call('ZCARD', KEYS[1] .. 'credentials')";

    /// <summary>KEYS: prefix. ARGV: the channel of changes, and 1 if the store may have content.</summary>
    public const string Obstacle = Find + """
        return obstacle(KEYS[1], ARGV[1], ARGV[2])
        """;

    /// <summary>
    /// KEYS: prefix of the store, of the new keys, and for the old keys. ARGV: the channel of changes, 1 if the store
    /// may have content, and 1 if newer blocks of the old keys are kept. Returns the obstacle, if any, and the subjects
    /// of kept blocks.
    /// </summary>
    public const string Switch = Find + Each + """
        local found = obstacle(KEYS[1], ARGV[1], ARGV[2])
        if found ~= '' then return {found} end
        each(KEYS[1], function(name) redis.call('RENAME', KEYS[1] .. name, KEYS[3] .. name) end)
        each(KEYS[2], function(name) redis.call('RENAME', KEYS[2] .. name, KEYS[1] .. name) end)
        local kept = {''}
        local known = ARGV[3] == '1' and redis.call('HGETALL', KEYS[3] .. 'blocks') or {}
        for i = 1, #known, 2 do
            local subject, value = known[i], known[i + 1]
            local old = redis.call('HGET', KEYS[1] .. 'blocks', subject)
            if not old or string.sub(old, 1, 19) < string.sub(value, 1, 19) then
                redis.call('HSET', KEYS[1] .. 'blocks', subject, value)
                redis.call('HINCRBY', KEYS[1] .. 'last', 'blocks', 1)
                kept[#kept + 1] = subject
            end
        end
        return kept
        """;

    /// <summary>KEYS: prefix.</summary>
    public const string Remove = Each + """
        each(KEYS[1], function(name) redis.call('DEL', KEYS[1] .. name) end)
        return ''
        """;

    private const string Row = """
        local p = KEYS[1]
        local function row(id)
            local found = {id, redis.call('ZSCORE', p .. 'credentials', id), redis.call('ZSCORE', p .. 'ends', id)}
            for _, text in ipairs(redis.call('HGETALL', p .. 'credential:' .. id)) do found[#found + 1] = text end
            return found
        end

        """;

    // Running gateways listen to the channel.
    private const string Find = """
        local function obstacle(p, channel, replace)
            local listening = redis.call('PUBSUB', 'NUMSUB', channel)
            if tonumber(listening[2]) > 0 then return 'running' end
            if replace ~= '1' and redis.call('EXISTS', p .. 'schema', p .. 'changes', p .. 'last', p .. 'identities',
                p .. 'blocks', p .. 'keys', p .. 'data-protection', p .. 'ends', p .. 'credentials') > 0 then return 'occupied' end
            return ''
        end

        """;

    // Every existing key of a store; the list of tokens comes last, since it leads to the others.
    private const string Each = """
        local function each(p, act)
            local function on(name)
                if redis.call('EXISTS', p .. name) == 1 then act(name) end
            end
            for _, id in ipairs(redis.call('ZRANGE', p .. 'credentials', 0, -1)) do
                local fields = redis.call('HMGET', p .. 'credential:' .. id, 'hash', 'owner', 'identity')
                if fields[1] then on('secret:' .. fields[1]) end
                if fields[2] then on('owner:' .. fields[2]) end
                if fields[3] then on('identity:' .. fields[3]) end
                on('credential:' .. id)
            end
            for _, name in ipairs({'schema', 'changes', 'last', 'blocks', 'identities', 'keys', 'data-protection', 'ends',
                'credentials'}) do on(name) end
        end

        """;
}
