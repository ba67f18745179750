namespace Gateway.Server.Registry.Uploads;

/// <summary>What the host knows of uploads.</summary>
internal static class UploadServiceExtensions
{
    /// <summary>Adds upload tickets; they are signed with what <c>ISigningKeys</c> holds.</summary>
    public static IServiceCollection AddUploads(this IServiceCollection services)
    {
        services.AddSingleton<IUploadTickets, UploadTickets>();
        services.AddSingleton<UploadContinuation>();
        return services;
    }
}
