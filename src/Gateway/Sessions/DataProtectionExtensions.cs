using Gateway.Configuration;
using Gateway.Keys;
using Gateway.Redis;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Gateway.Sessions;

/// <summary>
/// The keys that encrypt what a browser carries during a sign-in, forms' tokens, and the providers' refresh tokens. They lie
/// where the signing keys do, in a folder or in Redis, and under the same password.
/// </summary>
internal static class DataProtectionExtensions
{
    /// <summary>The folder beside the signing keys.</summary>
    public const string FolderName = "data-protection";

    /// <summary>Adds data protection.</summary>
    public static IServiceCollection AddGatewayDataProtection(this IServiceCollection services, GatewayOptions options)
    {
        services.AddDataProtection().SetApplicationName("registry-gateway"); // replicas lie in different folders
        services.AddOptions<KeyManagementOptions>().Configure<IServiceProvider>((management, provider) =>
        {
            var keys = options.Tokens.Keys;
            management.XmlRepository = keys.Store == SigningKeyStoreKind.Redis
                ? new RedisXmlRepository(provider.GetRequiredService<RedisConnection>())
                : new FolderXmlRepository(Path.Combine(SigningKeyServiceExtensions.FolderOf(options), FolderName));
            if (keys.Password is { } password)
            {
                management.XmlEncryptor = new PasswordXmlEncryptor(password);
            }
        });
        return services;
    }
}
