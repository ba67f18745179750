namespace Gateway.Tests.Layering;

/// <summary>One type uses another one of another wing.</summary>
/// <param name="From">The wing of the user.</param>
/// <param name="To">The wing of the used.</param>
/// <param name="User">The type, or the file, that uses it.</param>
/// <param name="Used">What it uses.</param>
internal sealed record Arrow(Wing From, Wing To, string User, string Used)
{
    /// <summary>Whether the order allows it.</summary>
    public bool IsAllowed => From == To || From.Uses.Contains(To.Name);

    /// <inheritdoc/>
    public override string ToString() => $"{From.Name} must not use {To.Name}: {User} uses {Used}";
}
