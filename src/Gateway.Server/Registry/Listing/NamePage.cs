namespace Gateway.Server.Registry.Listing;

/// <summary>One page of names.</summary>
/// <param name="Names">The names the caller may see, in order.</param>
/// <param name="Size">The page size in force, which the next page's link repeats.</param>
/// <param name="HasMore">Whether a further name that the caller may see follows.</param>
internal readonly record struct NamePage(IReadOnlyList<string> Names, long Size, bool HasMore);
