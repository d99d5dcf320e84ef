import org.apache.spark.sql.SparkSession;

/** One step of the KMS guide with Spark: KIND and ACTION as arguments, on one table that stays. */
public class SparkKmsGuide {
  public static void main(String[] args) {
    String table = "lake.ns." + System.getenv("TABLE");
    SparkSession spark =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
            .config("spark.sql.catalog.lake.type", "rest")
            .config("spark.sql.catalog.lake.uri", System.getenv("CATALOG_URL"))
            .config("spark.sql.catalog.lake.warehouse", System.getenv("CATALOG"))
            .config("spark.sql.catalog.lake.token", System.getenv("TOKEN"))
            .config(
                "spark.sql.catalog.lake.header.X-Iceberg-Access-Delegation", "vended-credentials")
            .config("spark.sql.catalog.lake.io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
            .getOrCreate();
    try {
      switch (args[1]) {
        case "create" -> spark.sql("CREATE TABLE " + table + " (id BIGINT) USING iceberg");
        case "insert" -> spark.sql("INSERT INTO " + table + " SELECT id FROM range(0, 5, 1, 1)");
        default -> {
          if (spark.sql("SELECT * FROM " + table).collectAsList().isEmpty())
            throw new IllegalStateException("The table is empty.");
        }
      }
    } catch (Throwable error) {
      error.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
    Runtime.getRuntime().halt(0);
  }
}
