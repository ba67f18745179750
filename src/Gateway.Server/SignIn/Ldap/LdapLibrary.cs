using System.Runtime.InteropServices;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>The system's libldap, which System.DirectoryServices.Protocols uses.</summary>
internal static unsafe class LdapLibrary
{
    private const int RequireCertificate = 0x6006; // LDAP_OPT_X_TLS_REQUIRE_CERT
    private const int NetworkTimeout = 0x5005; // LDAP_OPT_NETWORK_TIMEOUT
    private const int Demand = 2; // LDAP_OPT_X_TLS_DEMAND

    private static readonly string[] Names = [
        "libldap-2.5.so.0", "libldap.so.2", "libldap-2.6.so.0", "libldap-2.4.so.2",
    ];

    /// <summary>What keeps it from being used; <see langword="null"/> where nothing does.</summary>
    public static Problem? Check() => TryLoad(out var library) && library != 0 ? null : new Problem(
        "libldap",
        "the LDAP library is not installed on this machine",
        string.Join(", ", Names),
        "Install it: apt-get install libldap-2.5-0 (Debian 12), libldap2 (Debian 13, Ubuntu), dnf install openldap.");

    /// <summary>
    /// Sets what holds for all connections, whatever <c>/etc/ldap/ldap.conf</c> and the environment say: a server
    /// without a trusted certificate is never used, and no wait for a connection is unbounded.
    /// </summary>
    public static void Harden(TimeSpan timeout)
    {
        if (!TryLoad(out var library))
        {
            return;
        }

        var set = (delegate* unmanaged<nint, int, void*, int>)NativeLibrary.GetExport(library, "ldap_set_option");
        var demand = Demand;
        var time = stackalloc long[2] { (long)timeout.TotalSeconds, 0 };
        if (set(0, RequireCertificate, &demand) != 0 || set(0, NetworkTimeout, time) != 0)
        {
            throw new ProblemException(new Problem(
                "libldap", "the LDAP library cannot require certificates of directory servers", null,
                "Use the distribution's own libldap."));
        }
    }

    private static bool TryLoad(out nint library)
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out library))
            {
                return true;
            }
        }

        library = 0;
        return false;
    }
}
