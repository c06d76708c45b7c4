import { S3Client } from "@aws-sdk/client-s3";
export const handler = async () => String(S3Client);
