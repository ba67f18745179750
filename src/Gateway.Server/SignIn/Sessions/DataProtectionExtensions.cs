using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Keys;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>
/// The keys that encrypt what a browser carries during a sign-in, forms' tokens, and the providers' refresh tokens: in
/// the state folder, or, for replicas, in Redis under the password of the signing keys.
/// </summary>
internal static class DataProtectionExtensions
{
    /// <summary>The folder in the state folder.</summary>
    public const string FolderName = "data-protection";

    /// <summary>Adds data protection.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="keys">
    /// The signing keys' settings: these keys are kept beside those, under the same password.
    /// </param>
    /// <param name="stateFolder">Where they are without Redis.</param>
    public static IServiceCollection AddGatewayDataProtection(
        this IServiceCollection services, SigningKeyOptions keys, string stateFolder)
    {
        services.AddDataProtection().SetApplicationName("registry-gateway"); // replicas may run from different folders
        services.AddOptions<KeyManagementOptions>().Configure<IServiceProvider>((management, provider) =>
        {
            management.XmlRepository = keys.Store == SigningKeyStoreKind.Redis
                ? new RedisXmlRepository(provider.GetRequiredService<RedisConnection>())
                : new FolderXmlRepository(Path.Combine(stateFolder, FolderName));
            if (keys.Password is { } password)
            {
                management.XmlEncryptor = new PasswordXmlEncryptor(password);
            }
        });
        return services;
    }
}
